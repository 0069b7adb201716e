# What people type. The build itself is Meson's (meson.build); tests, lint and the demo are
# scripts in tools/, so that nothing here needs more than one line of thought.

PREFIX ?= /usr/local
DESTDIR ?=
T ?= h1
S ?= 60
SOAK ?= 1200
J ?= $(shell nproc)

RELEASE = --buildtype=debugoptimized -Dhardened=true -Dwhole=true
CLANG = CC=clang-14 CXX=clang++-14

# A build directory follows the flags that stand here.
CONFIGURE = meson setup $(if $(wildcard $(@D)/build.ninja),--reconfigure) $(@D)

# Without an argument: build/lateen with the release flags (PIE, RELRO, FORTIFY, stack protector).
.PHONY: all
all: build/.release ## build build/lateen, hardened (what `make` alone does)
	@ninja -C build -j$(J) src/cli/lateen
	@ln -sf src/cli/lateen build/lateen

.PHONY: everything
everything: all ## the program and all that tests it
	@ninja -C build -j$(J)

build/.release: Makefile
	@$(CONFIGURE) $(RELEASE)
	@touch $@

# Every other build directory is build-NAME. Warnings are judged in the plain builds: under the
# sanitizers gcc warns of paths that cannot be.
SANITIZE = -Doptimization=1 -Db_lundef=false -Dwerror=false -Db_sanitize
build-clang/.made: Makefile
	@$(CLANG) $(CONFIGURE) $(RELEASE)
	@touch $@
build-asan/.made: Makefile
	@$(CONFIGURE) $(SANITIZE)=address,undefined
	@touch $@
build-tsan/.made: Makefile
	@$(CONFIGURE) $(SANITIZE)=thread
	@touch $@
build-fuzz/.made: Makefile
	@$(CLANG) $(CONFIGURE) -Dfuzz=true $(SANITIZE)=address,undefined
	@touch $@
# What runs is counted line by line (tools/coverage).
COUNTED = -fprofile-instr-generate -fcoverage-mapping
build-coverage/.made: Makefile
	@$(CLANG) $(CONFIGURE) -Doptimization=0 -Dwerror=false $(foreach kind,c c_link cpp cpp_link,-D$(kind)_args='$(COUNTED)')
	@touch $@

.PHONY: FORCE
FORCE:
build-%: build-%/.made FORCE
	@ninja -C $@ -j$(J)
	@if [ -e $@/src/cli/lateen ]; then ln -sf src/cli/lateen $@/lateen; fi

# Of these two only what is run.
build-fuzz: build-fuzz/.made FORCE
	@ninja -C $@ -j$(J) $$(ninja -C $@ -t targets all | sed -n 's|^\(tests/fuzz/fuzz-[^/:]*\):.*|\1|p')
build-coverage: build-coverage/.made FORCE
	@ninja -C $@ -j$(J) $$(./tools/coverage --programs)

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## every test (tools/test); `tools/test --help` for parts of it
	@./tools/test

.PHONY: asan
asan: build-asan ## unit, wire and end-to-end tests under ASan and UBSan
	@./tools/test asan asan-e2e asan-wire

.PHONY: tsan
tsan: build-tsan ## unit and reload tests under TSan
	@./tools/test tsan tsan-e2e

.PHONY: fuzz
fuzz: build-fuzz ## fuzz one target: make fuzz T=h1 S=60 (seconds)
	@./tools/fuzz $(T) $(S)

.PHONY: fuzz-long
fuzz-long: build-fuzz ## every fuzz target for an hour each, as many at a time as J: FUZZ_SECONDS=3600
	@./tools/fuzz --each $(J)

.PHONY: coverage
coverage: build-coverage ## lines of the parsers that corpora and unit tests reach; at least 90 % of each file
	@./tools/coverage

.PHONY: chaos
chaos: everything ## attacks at full size, strict about what others feel; figures in build/logs/attacks.txt
	@./tools/test chaos

.PHONY: bench
bench: everything ## beside nginx, HAProxy, nghttpx and Envoy in one run: make bench ARGS='--rounds 3 --rows "h1 c=64"'
	@./tools/deps bench
	@bench/run $(ARGS)

.PHONY: instructions-record
instructions-record: everything ## count a request's instructions and record them as what is expected
	@bench/instructions --record

.PHONY: lookup-long
lookup-long: all ## the route matcher against a naive one on ten million pairs
	@LATEEN_LONG=1 build/tests/unit/unit-route

.PHONY: soak
soak: all ## 20 minutes of load, changes, certificates and restarts: make soak SOAK=1200 (seconds)
	@SOAK_SECONDS=$(SOAK) /usr/bin/python3 -m pytest -q -s tests/e2e/test_soak.py

.PHONY: overload-long
overload-long: everything ## ten times too much for 30 s, at least 95 % of the goodput kept
	@LATEEN_LONG=1 /usr/bin/python3 -m pytest -q -s tests/e2e/test_overload.py

.PHONY: sim-long
sim-long: everything ## a million schedules of the simulation: make sim-long N=1000000 FROM=1
	@build/tests/sim/sim --from $(or $(FROM),1) --count $(or $(N),1000000) --group 1000 -j $(J)

.PHONY: lint
lint: ## layers, banned functions, format, headers, shell, docs, sizes
	@./tools/lint

.PHONY: install
install: all ## install to DESTDIR and PREFIX (/usr/local)
	install -D -m 755 build/src/cli/lateen $(DESTDIR)$(PREFIX)/bin/lateen
	install -D -m 644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/lateen/LICENSE
	install -D -m 644 README.md $(DESTDIR)$(PREFIX)/share/doc/lateen/README.md
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|' packaging/lateen.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/lateen.service

.PHONY: clean
clean: ## remove every build directory
	rm -rf build build-clang build-asan build-tsan build-fuzz build-coverage
