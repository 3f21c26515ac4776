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

static void print_commands(const char *between)
{
	const struct command *command;

	for (size_t n = 0; (command = command_at(n)); n++)
		printf("%s%s", n ? between : "", command->name);
}

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

/* ---- bash ---- */

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
	puts("    create/--option | create/-o)\n"
	     "      words=\"${keys// /= }=\"\n"
	     "      compopt -o nospace 2>/dev/null ;;\n"
	     "    completion/*) words='bash zsh fish' ;;\n"
	     "    help/*) words=$commands ;;");
}

static void print_bash(void)
{
	fputs("# Completion for maplog: eval \"$(maplog completion bash)\"\n"
	      "_maplog() {\n"
	      "  local word=${COMP_WORDS[COMP_CWORD]} "
	      "command=${COMP_WORDS[1]}\n"
	      "  local before=${COMP_WORDS[COMP_CWORD-1]} options='' words=''\n"
	      "  local commands='",
	      stdout);
	print_commands(" ");
	fputs("'\n"
	      "  local keys='",
	      stdout);
	print_keys();
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
	     "  case $command/$COMP_CWORD in\n"
	     "    set/3 | config/[3-9]) words=$keys ;;\n"
	     "  esac\n"
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

/* ---- zsh ---- */

static const char *find_choices(const struct command *command,
				const struct option *option)
{
	for (size_t i = 0; i < CHOICES; i++) {
		if (!strcmp(choices[i].command, command->name) &&
		    !strcmp(choices[i].option, option->name))
			return choices[i].values;
	}
	return NULL;
}

/* What the value of an option is: one of a few, a key, a file or anything. */
static void print_zsh_value(const struct command *command,
			    const struct option *option)
{
	const char *values = find_choices(command, option);

	printf(":%s:", option->name);
	if (values)
		printf("(%s)", values);
	if (!strcmp(option->name, "option")) {
		fputs("_maplog_keys -S=", stdout);
	} else if (!strcmp(option->name, "output")) {
		fputs("_files", stdout);
	}
}

static void print_zsh_option(const struct command *command,
			     const struct option *option)
{
	const char *name = option->name;
	char letter = (char)option->val;

	/* A value that may be left out stands in the same word. */
	if (option->has_arg == optional_argument)
		printf(" '(-%c --%s)'{-%c-,--%s=-}'::%s:'", letter, name,
		       letter, name, name);
	else if (option->has_arg == no_argument)
		printf(" '(-%c --%s)'{-%c,--%s}", letter, name, letter, name);
	else {
		/* Some may come again. */
		printf(" '*'{-%c+,--%s=}'", letter, name);
		print_zsh_value(command, option);
		putchar('\'');
	}
}

static void print_zsh_operands(const struct command *command)
{
	if (!strcmp(command->name, "help"))
		fputs(" '1:command:_maplog_commands'", stdout);
	else if (!strcmp(command->name, "completion"))
		fputs(" '1:shell:(bash zsh fish)'", stdout);
	else if (!strcmp(command->name, "set"))
		fputs(" '1:log:_files -/' '2:key:_maplog_keys'", stdout);
	else if (!strcmp(command->name, "config"))
		fputs(" '1:log:_files -/' '*:key:_maplog_keys'", stdout);
	else
		fputs(" '*:file:_files'", stdout);
}

static void print_zsh_command(const struct command *command)
{
	printf("    %s) _arguments -s -S '(- *)'{-h,--help}", command->name);
	for (const struct option *o = command->options; o && o->name; o++)
		print_zsh_option(command, o);
	print_zsh_operands(command);
	puts(" ;;");
}

/* What is read as a file of fpath is the function, else it is told of it. */
static void print_zsh(void)
{
	const struct command *command;

	puts("#compdef maplog\n"
	     "# Completion for maplog: eval \"$(maplog completion zsh)\"\n"
	     "_maplog_commands() {\n"
	     "  local -a commands=(");
	for (size_t n = 0; (command = command_at(n)); n++)
		printf("    '%s:%s'\n", command->name, command->summary);
	fputs("  )\n"
	      "  _describe -t commands command commands\n"
	      "}\n"
	      "_maplog_keys() {\n"
	      "  compadd \"$@\" - ",
	      stdout);
	print_keys();
	puts("\n"
	     "}\n"
	     "_maplog() {\n"
	     "  local curcontext=$curcontext state line ret=1\n"
	     "  _arguments -C '(- *)'{-h,--help} '(- *)'{-V,--version} \\\n"
	     "    '1:command:_maplog_commands' '*::operand:->operand' && "
	     "ret=0\n"
	     "  [[ $state = operand ]] || return ret\n"
	     "  case $words[1] in");
	for (size_t n = 0; (command = command_at(n)); n++)
		print_zsh_command(command);
	puts("  esac\n"
	     "}\n"
	     "if [[ $funcstack[1] = _maplog ]]; then\n"
	     "  _maplog \"$@\"\n"
	     "else\n"
	     "  (( $+functions[compdef] )) || { autoload -Uz compinit && "
	     "compinit }\n"
	     "  compdef _maplog maplog\n"
	     "fi");
}

/* ---- fish ---- */

#define FISH_IN "complete -c maplog -n '__fish_seen_subcommand_from "

static void print_fish_command(const struct command *command)
{
	printf("complete -c maplog -n __fish_use_subcommand -f -a %s -d '%s'\n",
	       command->name, command->summary);
	for (const struct option *o = command->options; o && o->name; o++)
		printf(FISH_IN "%s' -s %c -l %s%s\n", command->name, o->val,
		       o->name, o->has_arg == required_argument ? " -r" : "");
}

static void print_fish_words(void)
{
	for (size_t i = 0; i < CHOICES; i++)
		printf(FISH_IN "%s' -l %s -x -a '%s'\n", choices[i].command,
		       choices[i].option, choices[i].values);
	puts(FISH_IN "completion' -f -a 'bash zsh fish'");
	fputs(FISH_IN "help' -f -a '", stdout);
	print_commands(" ");
	fputs("'\n" FISH_IN "set config' -a '", stdout);
	print_keys();
	fputs("'\n" FISH_IN "create' -l option -x -a '", stdout);
	print_keys();
	puts("'");
}

static void print_fish(void)
{
	const struct command *command;

	puts("# Completion for maplog: maplog completion fish | source");
	for (size_t n = 0; (command = command_at(n)); n++)
		print_fish_command(command);
	print_fish_words();
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
