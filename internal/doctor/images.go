package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// images compares what both versions run: the same image, or the same content under different names. The core refuses
// templates that are the same altogether.
func (e *examination) images() []canary.Problem {
	if len(e.sides) < 2 {
		return nil
	}
	stable, second := e.sides[0], e.sides[1]
	d := "Deployment/" + second.Deployment.Name
	same, another := len(second.spec().Containers) > 0, ""
	for _, c := range second.spec().Containers {
		a := stable.container(c.Name)
		same = same && a != nil && a.Image == c.Image
		if a == nil || a.Image == c.Image {
			continue
		}
		if id := onlyDigest(second, c.Name); id != "" && id == onlyDigest(stable, c.Name) {
			another = fmt.Sprintf("container %s of %s and %s runs the same image (%s) under different names", c.Name, stable.Deployment.Name, second.Deployment.Name, id)
		}
	}
	switch {
	case stable.Deployment.SpecHash != 0 && stable.Deployment.SpecHash == second.Deployment.SpecHash:
		return nil // a refusal
	case same:
		return []canary.Problem{warning(canary.CodeSameImage, d,
			fmt.Sprintf("%s and %s run the same image, %s: what is tried out is a difference of the templates only", stable.Deployment.Name, second.Deployment.Name, list(second.Deployment.Images)),
			setImage(stable, second)...)}
	case another != "":
		return []canary.Problem{warning(canary.CodeSameImage, d, another+": nothing new is tried out; push the right one, and let the pods pull it",
			"rollout restart deployment/"+second.Deployment.Name)}
	}
	return nil
}

// setImage gives the first container of the canary the tag of its version, or where it has that, stable's.
func setImage(stable, second *side) []string {
	if len(stable.spec().Containers) == 0 || len(second.spec().Containers) == 0 {
		return nil
	}
	s := second
	if _, tag := untagged(s.spec().Containers[0].Image); tag == s.Name {
		s = stable
	}
	c := s.spec().Containers[0]
	name, _ := untagged(c.Image)
	return []string{fmt.Sprintf("set image deployment/%s %s=%s", s.Deployment.Name, c.Name, quote(name+":"+s.Name))}
}

// untagged is an image's name without tag and digest, and the tag.
func untagged(image string) (name, tag string) {
	name, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndex(name, ":"); i > strings.LastIndex(name, "/") {
		return name[:i], name[i+1:]
	}
	return name, ""
}

// tags finds images that may be another one tomorrow, or on another node.
func (e *examination) tags() (found []canary.Problem) {
	for _, s := range e.sides {
		for _, c := range s.spec().Containers {
			_, tag := untagged(c.Image)
			pinned := strings.Contains(c.Image, "@")
			ids := digests(s, c)
			name, _ := untagged(c.Image)
			to := name + ":" + s.Name
			if len(ids) > 0 {
				if _, digest, named := strings.Cut(ids[len(ids)-1], "@"); named {
					to = name + "@" + digest
				}
			}
			d := "Deployment/" + s.Deployment.Name
			set := fmt.Sprintf("set image deployment/%s %s=%s", s.Deployment.Name, c.Name, quote(to))
			switch {
			case pinned:
			case len(ids) > 1:
				found = append(found, warning(CodeMutableTag, d,
					fmt.Sprintf("pods of Deployment %s run %d different images under the name %s", s.Deployment.Name, len(ids), c.Image), set))
			case tag == "" || tag == "latest":
				found = append(found, warning(CodeMutableTag, d,
					fmt.Sprintf("the image %s of Deployment %s names no version: new pods may run another one than those that are there", c.Image, s.Deployment.Name), set))
			}
		}
	}
	return found
}

// digests are the contents that pods run as one container of the image that the template has now, in order.
func digests(s *side, c corev1.Container) []string {
	ids := map[string]bool{}
	for _, pod := range s.pods {
		if i := slices.IndexFunc(pod.Spec.Containers, func(p corev1.Container) bool { return p.Name == c.Name }); i < 0 || pod.Spec.Containers[i].Image != c.Image {
			continue
		}
		for _, status := range pod.Status.ContainerStatuses {
			if status.Name == c.Name && status.ImageID != "" {
				ids[status.ImageID] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// onlyDigest is what all pods run as one container; empty where it is not one thing, or not known.
func onlyDigest(s *side, name string) string {
	c := s.container(name)
	if ids := digests(s, *c); len(ids) == 1 {
		_, digest, named := strings.Cut(ids[0], "@")
		if named {
			return digest
		}
		return ids[0]
	}
	return ""
}

func list(words []string) string { return strings.Join(words, ", ") }
