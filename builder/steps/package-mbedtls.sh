#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The TLS that curl speaks, as static libraries.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=package-lib.sh
. /input/package-lib.sh

unpack mbedtls
cd mbedtls
# Only clients use it.
python3 scripts/config.py unset MBEDTLS_SSL_SRV_C
python3 scripts/config.py unset MBEDTLS_SSL_PROTO_DTLS
make --jobs="$JOBS" -C library static
mkdir /output/lib
cp library/libmbedcrypto.a library/libmbedx509.a library/libmbedtls.a /output/lib/
cp -R include /output/include
