//go:build tools

// Package apiserver pins the Kubernetes API server so that it can be built from Go modules.
package apiserver

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
)
