//go:build tools

// Package definitions pins the modules whose custom resource definitions a cluster has.
package definitions

import (
	_ "sigs.k8s.io/gateway-api-inference-extension/api/v1"
	_ "sigs.k8s.io/gateway-api/apis/v1"
)
