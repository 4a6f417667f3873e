# One Makefile for everything.  `make help` lists the targets.
VERSION := 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/coi
DESTDIR ?=

CLANG ?= clang
ifeq ($(origin CC),default)
CC := $(if $(SAN),$(CLANG),cc)
endif
PKG_CONFIG ?= pkg-config
SAN ?=
WERROR ?=
V ?=

# Each build variant has a folder of its own.
comma := ,
BUILD ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2);)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef \
	-Wno-unused-parameter $(if $(WERROR),-Werror) \
	$(if $(findstring clang,$(CC)),-Wno-format-nonliteral \
	-Wno-string-concatenation)
STD := -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -D_GNU_SOURCE
HARD := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer \
	-fno-sanitize-recover=undefined)
OPT := $(if $(SAN),-O1 -g,-O2 -g)

# The folder is the layer: what each layer may use stands here, and
# tests/lint/layers checks the includes against it.
LAYERS := core fmt net find imap smtp sieve kind store coi
USES_core :=
USES_fmt := core
USES_net := fmt core
USES_find := net fmt core
USES_imap := net fmt core
USES_smtp := net fmt core
USES_sieve := net fmt core
USES_kind := fmt core
USES_store := fmt core
USES_coi := imap smtp sieve kind store net fmt core

# The only layers that see a library's headers.
PKGS_core :=
PKGS_fmt := libetpan jansson libcmark
PKGS_net := libetpan openssl libcares libgsasl zlib
PKGS_find := libcurl expat
PKGS_imap :=
PKGS_smtp :=
PKGS_sieve :=
PKGS_kind := jansson
PKGS_store := sqlite3
PKGS_coi := jansson openssl sqlite3

pkgcflags = $(if $(strip $(1)),$(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null))
# Debian's libetpan.pc names specs of a package that need not be there.
pkglibs = $(if $(strip $(1)),$(filter-out -specs=%,$(shell $(PKG_CONFIG) \
	--libs $(1) 2>/dev/null)))

ALLPKGS := $(sort $(foreach l,$(LAYERS),$(PKGS_$(l))))
LIBS := $(call pkglibs,$(ALLPKGS)) -lidn2 -lunistring

BASE_CFLAGS := $(STD) $(OPT) $(WARN) $(HARD) $(SANFLAGS) -Ilib -I$(BUILD)/gen \
	-include core/ban.h -DCOI_VERSION='"$(VERSION)"' \
	-DCOI_DATADIR='"$(DATADIR)"'
BASE_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANFLAGS)

TOOLS := $(patsubst cmd/%.c,%,$(wildcard cmd/coi-*.c))
CMDLIB := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out cmd/coi-% cmd/config_%,$(wildcard cmd/*.c)))
CONFIGLIB := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard cmd/config_*.c))
srcs = $(wildcard lib/$(1)/*.c)
objs = $(patsubst %.c,$(BUILD)/obj/%.o,$(call srcs,$(1)))
archive = $(BUILD)/lib$(1).a
ARCHIVES := $(foreach l,coi imap smtp sieve kind store net fmt core,$(call archive,$(l)))

.PHONY: all deps bench-deps check check-built demo lint fuzz fuzz-built spec \
	install uninstall dist clean distclean help unit replay testbins \
	valgrind format
.DELETE_ON_ERROR:
.SECONDARY:

## all            the tools, in $(BUILD) (build); V=1 shows commands, WERROR=1
##                warnings are errors, SAN=address,undefined sanitizers
all: $(TOOLS:%=$(BUILD)/%)

## help           this list
help:
	@sed -n 's/^## \{0,1\}//p' Makefile

## deps           installs what building and testing need (Debian 12)
deps:
	@tests/lib/deps build test

## bench-deps     installs what the benchmarks compare with
bench-deps:
	@tests/lib/deps build test bench
	@tests/bench/node/install build/deps/node

# --- compiling --------------------------------------------------------------

FLAGS_NOW = $(CC) $(BASE_CFLAGS) $(CFLAGS) $(BASE_LDFLAGS) $(LDFLAGS) $(LIBS)
$(BUILD)/flags: .FORCE
	@mkdir -p $(BUILD)
	@$(PKG_CONFIG) --print-errors --exists $(ALLPKGS) || \
	 { echo 'A library is missing: run `make deps`.' >&2; exit 1; }
	@printf '%s\n' "$(subst ",\",$(FLAGS_NOW))" | cmp -s - $@ || \
	 printf '%s\n' "$(subst ",\",$(FLAGS_NOW))" > $@
.FORCE:

# The kinds are a folder: its files become one generated list.
KINDS := $(patsubst lib/kind/kind_%.c,%,$(wildcard lib/kind/kind_*.c))
$(BUILD)/gen/kinds.h: $(wildcard lib/kind/kind_*.c) $(BUILD)/flags
	@mkdir -p $(@D)
	@{ printf '/* made from lib/kind/kind_*.c */\n'; \
	   for k in $(KINDS); do printf 'KIND(%s)\n' $$k; done; } > $@

define layer_rules
$(BUILD)/obj/lib/$(1)/%.o: lib/$(1)/%.c $(BUILD)/flags | $(BUILD)/gen/kinds.h
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)$$(CC) $$(BASE_CFLAGS) $$(call pkgcflags,$(PKGS_$(1))) \
		-MMD -MP $$(CFLAGS) -c -o $$@ $$<
$(call archive,$(1)): $(call objs,$(1))
	@rm -f $$@
	$$(call say,AR,$$@)ar rcs $$@ $$(call objs,$(1))
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(l))))

$(BUILD)/obj/cmd/%.o: cmd/%.c $(BUILD)/flags | $(BUILD)/gen/kinds.h
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(BASE_CFLAGS) $(call pkgcflags,jansson) -MMD -MP $(CFLAGS) -c -o $@ $<

# The schemas are part of the tools.
$(BUILD)/obj/cmd/schema.o: $(wildcard share/*.schema.json)

# Only coi-config has subcommands, and looks servers up.
$(BUILD)/coi-config: $(CONFIGLIB) $(call archive,find)
$(BUILD)/coi-%: $(BUILD)/obj/cmd/coi-%.o $(CMDLIB) $(ARCHIVES)
	$(call say,LD,$@)$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

# --- tests ------------------------------------------------------------------

# tests/unit/LAYER_NAME.c links its layer and those below, nothing else.
UNITS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*_*.c))
unit_layer = $(firstword $(subst _, ,$(notdir $(1))))
.SECONDEXPANSION:
$(BUILD)/unit/%: tests/unit/%.c tests/unit/test.h $(BUILD)/flags \
		$$(foreach l,$$(call unit_layer,$$*) $$(USES_$$(call unit_layer,$$*)),$$(call archive,$$(l)))
	@mkdir -p $(@D)
	$(call say,TEST,$<)$(CC) $(BASE_CFLAGS) $(call pkgcflags,$(ALLPKGS)) $(CFLAGS) \
		$(BASE_LDFLAGS) $(LDFLAGS) -o $@ $< -Wl,--start-group \
		$(foreach l,$(call unit_layer,$*) $(USES_$(call unit_layer,$*)),$(call archive,$(l))) \
		-Wl,--end-group $(LIBS)

unit: $(UNITS)

# tests/fuzz/NAME.c says in a line /* layer: fmt */ what it links.
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
fuzz_layer = $(shell sed -n 's|^/\* layer: \([a-z]*\) \*/$$|\1|p' tests/fuzz/$(1).c)
fuzz_archives = $(foreach m,$(call fuzz_layer,$(1)),$(foreach l,$(m) $(USES_$(m)),$(call archive,$(l))))
fuzz_link = $(CC) $(BASE_CFLAGS) $(call pkgcflags,$(ALLPKGS)) $(CFLAGS) \
	$(BASE_LDFLAGS) $(LDFLAGS) $(2) -o $@ tests/fuzz/$(1).c $(3) \
	-Wl,--start-group $(call fuzz_archives,$(1)) -Wl,--end-group $(LIBS)

$(BUILD)/replay/%: tests/fuzz/%.c tests/lib/replay.c $(BUILD)/flags \
		$$(call fuzz_archives,$$*)
	@mkdir -p $(@D)
	$(call say,REPLAY,$<)$(call fuzz_link,$*,,tests/lib/replay.c)

$(BUILD)/fuzzer/%: tests/fuzz/%.c $(BUILD)/flags $$(call fuzz_archives,$$*)
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)$(call fuzz_link,$*,-fsanitize=fuzzer)

replay: $(FUZZERS:%=$(BUILD)/replay/%)

# What the end-to-end tests run beside the tools; tests/*.mk adds to it.
TESTBINS := $(if $(wildcard tests/peer.mk),$(BUILD)/peer)
testbins: $$(TESTBINS)

## check          unit tests, fuzz corpora, end to end; ONLY='e2e/servers' for
##                some, SAN=address,undefined with sanitizers
check: deps
	@$(MAKE) --no-print-directory check-built

# A make of its own: the libraries may be there only since `deps`.
CHECK ?= unit fuzz e2e
check-built: all unit replay testbins
	@tests/run --build $(BUILD) $(CHECK) $(ONLY)

## valgrind       the unit tests under valgrind; leaks are the sanitizer's part
VALGRIND := valgrind -q --error-exitcode=99 --leak-check=no \
	--suppressions=tests/lib/valgrind.supp
valgrind: unit
	@tests/run --build $(BUILD) --wrap '$(VALGRIND)' unit $(ONLY)

## fuzz           libFuzzer on every target, FUZZ_SECONDS (30) each;
##                ONLY='hdr json_in' for some
FUZZ_SECONDS ?= 30
fuzz:
	@$(MAKE) --no-print-directory fuzz-built CC=$(CLANG) \
		SAN=fuzzer-no-link,address,undefined BUILD=$(BUILD)/fuzz
fuzz-built: $(FUZZERS:%=$(BUILD)/fuzzer/%)
	@tests/lib/fuzz $(BUILD) $(FUZZ_SECONDS) $(or $(ONLY),$(FUZZERS))

## lint           layers, symbols, headers, man pages, scripts, format, secrets
lint: $(ARCHIVES)
	@CC='$(CC)' LINT_CFLAGS='$(STD) $(WARN) -Ilib -I. -include core/ban.h' \
		tests/run --build $(BUILD) lint $(ONLY)

## format         clang-format over the C files
format:
	@find cmd lib tests -name '*.[ch]' -exec clang-format -i {} +

## spec           which requirement of the standard has a test that names it
spec:
	@tests/spec/report

## demo           a conversation between two accounts on private servers
demo: deps
	@$(MAKE) -s all testbins
	@BUILD=$(BUILD) tests/demo

## soak           coi-watch on a line that breaks, MINUTES (30), as lines and
##                with handlers: every message is accounted for
MINUTES ?= 30
.PHONY: soak
soak: deps
	@$(MAKE) -s all
	@tests/soak --build $(BUILD) --seconds $$(($(MINUTES) * 30))
	@tests/soak --build $(BUILD) --seconds $$(($(MINUTES) * 30)) --exec

# --- installing -------------------------------------------------------------

MAN := $(wildcard man/*.[1-8])
SHARE := $(shell find share -type f 2>/dev/null)
SHAREDIRS := $(shell find share -depth -type d 2>/dev/null)
installed = $(TOOLS:%=$(BINDIR)/%) $(SHARE:share/%=$(DATADIR)/%) \
	$(foreach m,$(MAN),$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m)))

## install        DESTDIR PREFIX BINDIR MANDIR DATADIR are respected
install: all
	@set -e; d='$(DESTDIR)'; \
	put() { mkdir -p "$${3%/*}"; install -m "$$1" "$$2" "$$3"; }; \
	$(foreach t,$(TOOLS),put 755 $(BUILD)/$(t) "$$d$(BINDIR)/$(t)";) \
	$(foreach m,$(MAN),put 644 $(m) "$$d$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m))";) \
	$(foreach s,$(SHARE),put 644 $(s) "$$d$(DATADIR)/$(s:share/%=%)";) :

## uninstall      removes what install put there
uninstall:
	@set -e; $(foreach f,$(installed),rm -f '$(DESTDIR)$(f)';) \
	$(foreach s,$(SHAREDIRS),rmdir '$(DESTDIR)$(DATADIR)$(s:share%=%)' 2>/dev/null || :;)

## dist           dist/coi-$(VERSION).tar.gz of the last commit
dist:
	@mkdir -p dist
	@git archive --format=tar.gz --prefix=coi-$(VERSION)/ \
		-o dist/coi-$(VERSION).tar.gz HEAD
	@echo dist/coi-$(VERSION).tar.gz

## clean          what was built; distclean also what `make deps` fetched
clean:
	@[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name deps \
		-exec rm -rf {} +
distclean:
	rm -rf build dist

-include $(wildcard $(BUILD)/obj/*/*.d $(BUILD)/obj/*/*/*.d)
-include $(wildcard tests/*.mk)
