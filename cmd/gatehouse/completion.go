package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints a script for the shell to read, such as: source <(gatehouse completion bash).
func (c *completionCmd) Run(s streams, model *kong.Application) error {
	var names []string
	flags := map[string]string{}
	for _, n := range model.Leaves(true) {
		names = append(names, n.Name)
		var f []string
		for _, flag := range n.Flags {
			f = append(f, "--"+flag.Name)
		}
		flags[n.Name] = strings.Join(append(f, "--help"), " ")
	}
	switch c.Shell {
	case "bash":
		fmt.Fprint(s.out, bash(names, flags))
	case "zsh":
		fmt.Fprint(s.out, "autoload -U +X bashcompinit && bashcompinit\n"+bash(names, flags))
	case "fish":
		fmt.Fprint(s.out, fish(model, names, flags))
	}
	return nil
}

// bash completes commands first, then flags and files.
func bash(names []string, flags map[string]string) string {
	var b strings.Builder
	b.WriteString("_gatehouse() {\n  local word=${COMP_WORDS[COMP_CWORD]}\n  COMPREPLY=()\n")
	fmt.Fprintf(&b, "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W '%s --help' -- \"$word\"))\n    return\n  fi\n", strings.Join(names, " "))
	b.WriteString("  case ${COMP_WORDS[1]} in\n")
	for _, n := range names {
		extra := ""
		if n == "completion" {
			extra = " bash zsh fish"
		}
		fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -W '%s%s' -- \"$word\")) ;;\n", n, flags[n], extra)
	}
	b.WriteString("  esac\n  [ \"${#COMPREPLY[@]}\" -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n}\ncomplete -o filenames -F _gatehouse gatehouse\n")
	return b.String()
}

// fish completes commands with their help.
func fish(model *kong.Application, names []string, flags map[string]string) string {
	var b strings.Builder
	for _, n := range model.Leaves(true) {
		fmt.Fprintf(&b, "complete -c gatehouse -n __fish_use_subcommand -f -a %s -d %q\n", n.Name, n.Help)
	}
	for _, n := range names {
		for f := range strings.FieldsSeq(flags[n]) {
			fmt.Fprintf(&b, "complete -c gatehouse -n '__fish_seen_subcommand_from %s' -l %s\n", n, strings.TrimPrefix(f, "--"))
		}
	}
	b.WriteString("complete -c gatehouse -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n")
	return b.String()
}
