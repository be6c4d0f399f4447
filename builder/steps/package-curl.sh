#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Transfers by URL.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=package-lib.sh
. /input/package-lib.sh

unpack curl
cd curl
configure --disable-shared --enable-static --disable-dependency-tracking --with-mbedtls=/steps/mbedtls \
	--with-ca-bundle=/etc/ssl/certs/ca-certificates.crt --without-ca-path \
	--without-zlib --without-brotli --without-zstd --without-libpsl --without-libidn2 --without-nghttp2 \
	--disable-docs --disable-manual --disable-ldap --disable-ldaps --disable-rtsp --disable-dict --disable-telnet \
	--disable-tftp --disable-pop3 --disable-imap --disable-smb --disable-smtp --disable-gopher --disable-mqtt \
	--disable-ipfs --disable-ntlm
make --jobs="$JOBS"
install_program src/curl usr/bin/curl
