// Package request names what a client asks an API server for, as the tests show it.
package request

import (
	"net/http"
	"strings"
)

// Describe names a request by its verb, such as PATCH, LIST or WATCH, and its object, such as "deployments/auth-v1/scale".
func Describe(r *http.Request) (verb, object string) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	verb = r.Method
	switch {
	case verb == http.MethodGet && r.URL.Query().Get("watch") != "":
		verb = "WATCH"
	case verb == http.MethodGet && len(parts) == 1:
		verb = "LIST"
	}
	object = strings.Join(parts, "/")
	if r.URL.Query().Has("dryRun") {
		object += " (dry run)"
	}
	return verb, object
}

// Kind leaves the name out of an object: "deployments/scale".
func Kind(object string) string {
	parts := strings.Split(object, "/")
	if len(parts) > 1 {
		parts = append(parts[:1], parts[2:]...)
	}
	return strings.Join(parts, "/")
}

// Writes says whether a request changes anything; a review does not.
func Writes(verb, object string) bool {
	return verb != http.MethodGet && verb != "LIST" && verb != "WATCH" && !strings.HasPrefix(object, "selfsubject")
}
