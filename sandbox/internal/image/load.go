package image

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Load imports an image of a program into the containerd that listens on socket, and returns when a kubelet would find it under every
// ref.
func Load(ctx context.Context, socket, ctr, program string, args, refs []string) error {
	img, err := Of(program, args)
	if err != nil {
		return err
	}
	id, err := img.ConfigName()
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	if err := write(&archive, img, refs); err != nil {
		return err
	}
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	images := cri.NewImageServiceClient(conn)
	cmd := exec.CommandContext(ctx, ctr, "--address", socket, "--namespace", "k8s.io", "images", "import", "-")
	cmd.Stdin = &archive
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ctr images import: %w: %s", err, strings.TrimSpace(string(out)))
	}
	for _, ref := range refs {
		for {
			err := known(ctx, images, ref, id.String())
			if err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%w: %w", ctx.Err(), err)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return nil
}

func known(ctx context.Context, images cri.ImageServiceClient, ref, id string) error {
	status, err := images.ImageStatus(ctx, &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: ref}})
	if err == nil && status.GetImage().GetId() != id { // it hears of an import a moment later
		err = fmt.Errorf("containerd does not know the image as %s", ref)
	}
	return err
}
