//go:build tools

// Package engine pins the Pulumi command line so that it can be built from Go modules.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
