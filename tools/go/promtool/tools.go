//go:build tools

// Package promtool pins Prometheus' evaluator of rules so that it can be built from Go modules.
package promtool

import _ "github.com/prometheus/prometheus/cmd/promtool"
