//go:build tools

// Package gateway pins the programs of the inference extension, and the modules whose custom
// resource definitions a cluster has.
package gateway

import (
	_ "sigs.k8s.io/gateway-api-inference-extension/cmd/bbr"
	_ "sigs.k8s.io/gateway-api-inference-extension/cmd/epp"
	_ "sigs.k8s.io/gateway-api/apis/v1"
)
