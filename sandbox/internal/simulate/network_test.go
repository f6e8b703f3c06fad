package simulate

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
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
	go func() { served <- Network(t.Context(), address) }()
	client := kubelet.Client()
	client.Transport.(*http.Transport).Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: address})
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
	if config := string(EgressConfig(address)); !strings.Contains(config, `url: "http://`+address+`"`) {
		t.Error(config)
	}
}
