# Every command a person needs; each is one line, the work is in deploy/ and in `docket`.
.DEFAULT_GOAL := help
.PHONY: help run stories stop clean-data test unit journey check proof bench

V ?=
STORY ?= naturalization

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: ## install the tools, build, start everything, play STORY (naturalization), stay up (Ctrl-C stops it)
	@deploy/run up --story $(STORY) $(V)

stories: ## the stories that `make run STORY=…` and `docket story …` play
	@deploy/run story --list

stop: ## stop what `make run` started from another terminal
	@deploy/local stop

clean-data: ## forget everything under .local except the tools
	@deploy/local clean-data

test: ## every test, on real PostgreSQL and NATS; the last line says how many passed
	@deploy/test

unit: ## the tests that need no server
	@deploy/test --workspace --lib --no-fail-fast

journey: ## the stories, end to end
	@deploy/test --package docket-tests --no-fail-fast

check: ## format, lints, licences, protocol files, query caches; images, manifests, alarms, scripts, secrets
	@deploy/check

proof: ## the long forms of the tests: more cases, more crashes; wrong programs that the tests must notice
	@DOCKET_PROOF=1 PROPTEST_CASES=20000 deploy/test
	@deploy/mutants --if-installed

bench: ## the measurements of the log, its broker, forms and filing, each against a baseline of the same run
	@deploy/tools/install
	@cargo bench --package docket-tests --bench log
