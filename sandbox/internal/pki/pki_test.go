package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
)

func parse(t *testing.T, p Pair) *x509.Certificate {
	t.Helper()
	if _, err := tls.X509KeyPair(p.Cert, p.Key); err != nil {
		t.Fatalf("certificate and key do not belong together: %v", err)
	}
	block, _ := pem.Decode(p.Cert)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestCertificates(t *testing.T) {
	ca, err := NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewCA("other")
	if err != nil {
		t.Fatal(err)
	}
	roots, otherRoots := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.Cert)
	otherRoots.AppendCertsFromPEM(other.Cert)

	client, err := ca.Client("ann", "devs")
	if err != nil {
		t.Fatal(err)
	}
	c := parse(t, client)
	if c.Subject.CommonName != "ann" || len(c.Subject.Organization) != 1 || c.Subject.Organization[0] != "devs" {
		t.Errorf("subject = %v", c.Subject)
	}
	forClients := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, err := c.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: forClients}); err != nil {
		t.Errorf("client certificate: %v", err)
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: otherRoots, KeyUsages: forClients}); err == nil {
		t.Error("another authority vouches for the client certificate")
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: roots}); err == nil {
		t.Error("a client certificate passes as a server's")
	}

	server, err := ca.Server("api", "10.96.0.1", "kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	s := parse(t, server)
	for _, host := range []string{"127.0.0.1", "localhost", "10.96.0.1", "kubernetes"} {
		if _, err := s.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("server certificate for %s: %v", host, err)
		}
	}
}

func TestLoadCA(t *testing.T) {
	ca, err := NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
	if err := os.WriteFile(certFile, ca.Cert, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keyFile, ca.Key, 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadCA(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := loaded.Client("bob")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.Cert)
	if _, err := parse(t, pair).Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		t.Error(err)
	}
	if _, err := LoadCA(certFile, certFile); err == nil {
		t.Error("a certificate passes as a key")
	}
}
