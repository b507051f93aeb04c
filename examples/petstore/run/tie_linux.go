package main

import "syscall"

// tie lets a program end with this one, even when this one is killed.
func tie() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
