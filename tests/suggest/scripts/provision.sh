#!/usr/bin/env bash
# Written for bash, and some of it needs bash.
declare -a packages=(curl jq)
for package in "${packages[@]}"; do
	sudo -u root env DEBIAN_FRONTEND=noninteractive apt-get install --yes "$package"
done
if [[ $(curl -fsS https://example.invalid/version) =~ ^[0-9]+ ]]; then
	echo "${HOSTNAME//./-}" | tee /etc/hostname
fi
eval "$AFTERWARDS"
"$HOOK" --quick
exec /usr/sbin/chroot /mnt /bin/echo done
