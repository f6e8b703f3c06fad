package simulate

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/pki"
)

// What is on this machine is reached; to an address of a pod nothing is sent.
func TestNetwork(t *testing.T) {
	kubelet := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "log") }))
	defer kubelet.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	served := make(chan error, 1)
	cert, key := pair(t)
	go func() { served <- Network(t.Context(), address, cert, key) }()
	client := kubelet.Client()
	transport := client.Transport.(*http.Transport)
	transport.Proxy, transport.TLSClientConfig.InsecureSkipVerify = http.ProxyURL(&url.URL{Scheme: "https", Host: address}), true
	response, err := client.Get(kubelet.URL)
	for err != nil && strings.Contains(err.Error(), "connection refused") { // it does not listen yet
		select {
		case err := <-served:
			t.Fatal(err)
		default:
		}
		response, err = client.Get(kubelet.URL)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "log" {
		t.Errorf("%q, %v", body, err)
	}
	for _, pod := range []string{"https://10.244.0.1:8001/", "https://[fd00::1]:8001/", "https://pod:8001/"} {
		if response, err := client.Get(pod); err == nil || !strings.Contains(err.Error(), "Bad Gateway") {
			t.Errorf("%s answers %v, %v", pod, response, err)
		}
	}
	config := string(EgressConfig(address, "/a folder/ca.crt", "c", "k"))
	if !strings.Contains(config, `url: "https://`+address+`", tlsConfig: {caBundle: "/a folder/ca.crt", clientCert: "c", clientKey: "k"}`) {
		t.Error(config)
	}
}

// pair is a certificate and a key, in files.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	made, err := ca.Server("test")
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert"), filepath.Join(t.TempDir(), "key")
	for file, data := range map[string][]byte{cert: made.Cert, key: made.Key} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
