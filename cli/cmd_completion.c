/* SPDX-License-Identifier: MIT */
/* maplog completion: what a shell needs to complete command lines. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "log.h"

/* Words of options that are chosen from a few. */
static const struct {
	const char *command;
	const char *option;
	const char *values;
} choices[] = {
	{ "dump", "as", "text hex json" },
	{ "export", "as", "lines json frames" },
	{ "import", "as", "lines json frames" },
};

#define CHOICES (sizeof(choices) / sizeof(*choices))

static void print_options(const struct command *command, const char *before)
{
	for (const struct option *o = command->options; o && o->name; o++)
		printf("%s--%s", before, o->name);
	printf("%s--help", before);
}

static void print_keys(void)
{
	const char *key;

	for (size_t n = 0; (key = maplog_options_key(n)); n++)
		printf("%s%s", n ? " " : "", key);
}

/* ---- bash, and zsh by its bashcompinit ---- */

static void print_bash_commands(void)
{
	const struct command *command;

	for (size_t n = 0; (command = command_at(n)); n++) {
		printf("    %s) options='", command->name);
		print_options(command, " ");
		puts("' ;;");
	}
}

static void print_bash_choices(void)
{
	for (size_t i = 0; i < CHOICES; i++)
		printf("    %s/--%s) words='%s' ;;\n", choices[i].command,
		       choices[i].option, choices[i].values);
	fputs("    create/--option) words='", stdout);
	print_keys();
	puts("' ;;\n"
	     "    completion/*) words='bash zsh fish' ;;");
}

static void print_bash(void)
{
	const struct command *command;

	fputs("# Completion for maplog: eval \"$(maplog completion bash)\"\n"
	      "_maplog() {\n"
	      "  local word=${COMP_WORDS[COMP_CWORD]} "
	      "command=${COMP_WORDS[1]}\n"
	      "  local before=${COMP_WORDS[COMP_CWORD-1]} options='' words=''\n"
	      "  local commands='",
	      stdout);
	for (size_t n = 0; (command = command_at(n)); n++)
		printf("%s%s", n ? " " : "", command->name);
	puts("'\n"
	     "  COMPREPLY=()\n"
	     "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
	     "    COMPREPLY=($(compgen -W \"$commands --help --version\" -- "
	     "\"$word\"))\n"
	     "    return\n"
	     "  fi\n"
	     "  [ \"$before\" != = ] || before=${COMP_WORDS[COMP_CWORD-2]}\n"
	     "  [ \"$word\" != = ] || word=\n"
	     "  case $command/$before in");
	print_bash_choices();
	puts("  esac\n"
	     "  case $command in");
	print_bash_commands();
	puts("  esac\n"
	     "  if [ -n \"$words\" ]; then\n"
	     "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	     "  elif [[ $word == -* ]]; then\n"
	     "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
	     "  else\n"
	     "    compopt -o filenames 2>/dev/null\n"
	     "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
	     "  fi\n"
	     "}\n"
	     "complete -F _maplog maplog");
}

static void print_zsh(void)
{
	puts("# Completion for maplog: eval \"$(maplog completion zsh)\"\n"
	     "autoload -U +X bashcompinit && bashcompinit");
	print_bash();
}

/* ---- fish ---- */

static void print_fish_command(const struct command *command)
{
	printf("complete -c maplog -n __fish_use_subcommand -f -a %s -d '%s'\n",
	       command->name, command->summary);
	for (const struct option *o = command->options; o && o->name; o++)
		printf("complete -c maplog -n '__fish_seen_subcommand_from "
		       "%s' -l %s%s\n",
		       command->name, o->name,
		       o->has_arg == required_argument ? " -r" : "");
}

static void print_fish(void)
{
	const struct command *command;

	puts("# Completion for maplog: maplog completion fish | source");
	for (size_t n = 0; (command = command_at(n)); n++)
		print_fish_command(command);
	for (size_t i = 0; i < CHOICES; i++)
		printf("complete -c maplog -n '__fish_seen_subcommand_from "
		       "%s' -l %s -x -a '%s'\n",
		       choices[i].command, choices[i].option,
		       choices[i].values);
	puts("complete -c maplog -n '__fish_seen_subcommand_from completion' "
	     "-f -a 'bash zsh fish'");
}

static int run(struct args *args)
{
	const char *shell;

	(void)args_next(args);
	shell = args->operands[0];
	if (!strcmp(shell, "bash"))
		print_bash();
	else if (!strcmp(shell, "zsh"))
		print_zsh();
	else if (!strcmp(shell, "fish"))
		print_fish();
	else
		args_fail(args, "not bash, zsh or fish: '%s'", shell);
	return STATUS_OK;
}

const struct command command_completion = {
	.name = "completion",
	.operands = "bash|zsh|fish",
	.summary = "Print completions for a shell",
	.help = "For example in ~/.bashrc: eval \"$(maplog completion "
		"bash)\"\n\n",
	.letters = "",
	.least = 1,
	.most = 1,
	.run = run,
};
