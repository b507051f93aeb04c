//go:build !linux

package main

import "syscall"

// tie does nothing: only Linux ends a program with the one that started it.
func tie() *syscall.SysProcAttr { return nil }
