//go:build tools

// Package earlier pins the programs of an earlier release of the inference extension, from which
// the tests upgrade to the one beside.
package earlier

import (
	_ "sigs.k8s.io/gateway-api-inference-extension/cmd/bbr"
	_ "sigs.k8s.io/gateway-api-inference-extension/cmd/epp"
)
