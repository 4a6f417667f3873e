# Clocks that jump, for coi-watch.
TESTBINS += $(BUILD)/clock.so
$(BUILD)/clock.so: tests/lib/clock.c $(BUILD)/flags
	$(call say,LD,$@)$(CC) -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared -o $@ $<
