# The benchmarks: what runs beside the tools, in C; tests/bench/bench drives.
BENCH := $(BUILD)/bench
BENCHBINS := $(patsubst tests/bench/%.c,$(BENCH)/%,$(wildcard tests/bench/*.c))
$(BENCH)/%: tests/bench/%.c tests/bench/sock.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(BASE_CFLAGS) $(CFLAGS) $(BASE_LDFLAGS) \
		$(LDFLAGS) -o $@ $< $(call pkglibs,openssl)

## bench          a JSON line for each goal, against floors and peers;
##                QUICK=1 in a minute, ONLY='fetch.10k submit' for some
.PHONY: bench
bench: all $(BENCHBINS)
	@$(if $(QUICK),:,COI_DEPS=$(COI_DEPS) $(MAKE) --no-print-directory bench-deps)
	@tests/bench/bench --build $(BUILD) $(if $(QUICK),--quick) $(ONLY)
