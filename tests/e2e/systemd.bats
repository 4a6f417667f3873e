#!/usr/bin/env bats
# The units of share/systemd.
bats_require_minimum_version 1.5.0
load helper

setup_file() { :; }
teardown_file() { :; }

units() { find "$ROOT/share/systemd" -type f; }

@test "units: systemd finds nothing wrong with them" {
	mkdir "$T/units"
	for u in $(units); do
		sed "s|^ExecStart=coi|ExecStart=$BUILD/coi|" "$u" \
			>"$T/units/${u##*/}"
	done
	[ "$(find "$T/units" -type f | wc -l)" -eq 3 ]
	# Debian has it, a container of Debian may not.
	command -v systemd-analyze >/dev/null || return 0
	for u in "$T/units"/*; do
		run systemd-analyze verify --man=no "$u"
		echo "$output"
		[ "$status" -eq 0 ]
		[ -z "$output" ]
	done
}

@test "units: services run as nobody in particular and see no secret of others" {
	for u in $(units); do
		[[ $u == *.service ]] || continue
		for line in DynamicUser=yes User=coi NoNewPrivileges=yes \
			ProtectSystem=strict ProtectHome=yes PrivateDevices=yes \
			RestrictNamespaces=yes LimitCORE=0 UMask=0077 \
			'SystemCallFilter=@system-service' 'CapabilityBoundingSet='; do
			grep -qxF "$line" "$u"
		done
		grep -q '^LoadCredential=coi-%i.password:' "$u"
		run ! grep -qi 'Environment=.*pass' "$u"
	done
}

@test "units: what they run is what the tools understand" {
	for u in $(units); do
		for tool in coi-watch coi-fetch; do
			for o in $(grep -v '^#' "$u" | tr -d "'\\\\" |
				grep -o "$tool -a.*" | grep -oE -- '--[a-z-]+'); do
				echo "$u: $tool $o"
				"$BUILD/$tool" -h | grep -qE -- "(^|[ ,])$o( |$)"
			done
		done
	done
}

@test "units: coi-watch may hear that addresses have changed" {
	grep -q '^RestrictAddressFamilies=.*AF_NETLINK' \
		"$ROOT/share/systemd/coi-watch@.service"
}

@test "units: what only a person can mend does not start coi-watch again" {
	line=$(grep '^RestartPreventExitStatus=' \
		"$ROOT/share/systemd/coi-watch@.service")
	for n in 64 65 66 77 78 81 82; do
		[[ "$line " =~ [=\ ]$n\  ]]
	done
}
