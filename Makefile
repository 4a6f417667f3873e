# One Makefile for everything.  `make help` lists the targets.
VERSION := 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/coi
DESTDIR ?=

CC ?= cc
ifeq ($(origin CC),default)
CC := cc
endif
CLANG ?= clang
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
	-Wno-unused-parameter $(if $(WERROR),-Werror)
STD := -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -D_GNU_SOURCE
HARD := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer \
	-fno-sanitize-recover=undefined)
OPT := $(if $(SAN),-O1 -g,-O2 -g)

# The folder is the layer: what each layer may use stands here, and
# tests/lint/layers checks the includes against it.
LAYERS := core fmt net imap smtp kind store coi
USES_core :=
USES_fmt := core
USES_net := fmt core
USES_imap := net fmt core
USES_smtp := net fmt core
USES_kind := fmt core
USES_store := fmt core
USES_coi := imap smtp kind store net fmt core

# The only layers that see a library's headers.
PKGS_core :=
PKGS_fmt := libetpan jansson libcmark
PKGS_net := libetpan openssl libcares libgsasl zlib
PKGS_imap :=
PKGS_smtp :=
PKGS_kind := jansson
PKGS_store := sqlite3
PKGS_coi := jansson openssl sqlite3

pkgcflags = $(if $(strip $(1)),$(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null))
pkglibs = $(if $(strip $(1)),$(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null))

ALLPKGS := $(sort $(foreach l,$(LAYERS),$(PKGS_$(l))))
LIBS := $(call pkglibs,$(ALLPKGS)) -lidn2 -lunistring

BASE_CFLAGS := $(STD) $(OPT) $(WARN) $(HARD) $(SANFLAGS) -Ilib -I$(BUILD)/gen \
	-include core/ban.h -DCOI_VERSION='"$(VERSION)"' \
	-DCOI_DATADIR='"$(DATADIR)"'
BASE_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANFLAGS)

TOOLS := $(patsubst cmd/%.c,%,$(wildcard cmd/coi-*.c))
CMDLIB := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out cmd/coi-%,$(wildcard cmd/*.c)))
srcs = $(wildcard lib/$(1)/*.c)
objs = $(patsubst %.c,$(BUILD)/obj/%.o,$(call srcs,$(1)))
archive = $(BUILD)/lib$(1).a
ARCHIVES := $(foreach l,coi imap smtp kind store net fmt core,$(call archive,$(l)))

.PHONY: all deps bench-deps check demo bench lint fuzz spec install uninstall \
	dist clean help unit valgrind format
.DELETE_ON_ERROR:
.SECONDARY:

all: $(TOOLS:%=$(BUILD)/%)

help:
	@sed -n 's/^## *//p' Makefile

# --- compiling --------------------------------------------------------------

FLAGS_NOW = $(CC) $(BASE_CFLAGS) $(CFLAGS) $(BASE_LDFLAGS) $(LDFLAGS) $(LIBS)
$(BUILD)/flags: .FORCE
	@mkdir -p $(BUILD)
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

$(BUILD)/coi-%: $(BUILD)/obj/cmd/coi-%.o $(CMDLIB) $(ARCHIVES)
	$(call say,LD,$@)$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $< $(CMDLIB) \
		-Wl,--start-group $(ARCHIVES) -Wl,--end-group $(LIBS)

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

clean:
	rm -rf build

-include $(wildcard $(BUILD)/obj/*/*.d $(BUILD)/obj/*/*/*.d)
-include $(wildcard tests/*.mk)
