# The scripted server of the hostile tests.
PEER_SRC := $(wildcard tests/peer/*.c)
$(BUILD)/peer: $(PEER_SRC) $(wildcard tests/peer/*.h) $(call archive,core) $(BUILD)/flags
	$(call say,LD,$@)$(CC) $(BASE_CFLAGS) -Itests/peer $(CFLAGS) \
		$(BASE_LDFLAGS) $(LDFLAGS) -o $@ $(PEER_SRC) \
		$(call archive,core) $(call pkglibs,openssl)
