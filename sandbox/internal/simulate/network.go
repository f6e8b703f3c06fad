package simulate

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// EgressConfig lets the API server reach pods and kubelets only through Network, which listens at the address and has a certificate
// of ca; without TLS it would not start. cert and key are its own.
func EgressConfig(address, ca, cert, key string) []byte {
	return fmt.Appendf(nil, `apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport: {tcp: {url: "https://%s", tlsConfig: {caBundle: %q, clientCert: %q, clientKey: %q}}}
`, address, ca, cert, key)
}

// Network is what simulated pods have for a network: there is nobody behind their addresses, and nothing is sent to them, since on
// the machine's own network they may be somebody's. What is on this machine, such as the kubelet, is reached. It serves until ctx ends, with the certificate.
func Network(ctx context.Context, address, cert, key string) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(connect), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return server.ServeTLS(listener, cert, key)
}

func connect(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.URL.Host)
	if err != nil || r.Method != http.MethodConnect {
		http.Error(w, "want CONNECT HOST:PORT", http.StatusBadRequest)
		return
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		http.Error(w, "a simulated pod does not answer", http.StatusBadGateway)
		return
	}
	var dialer net.Dialer
	to, err := dialer.DialContext(r.Context(), "tcp", r.URL.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer to.Close()
	from, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer from.Close()
	if _, err := io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(to, buffered)
		_ = to.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(from, to)
}
