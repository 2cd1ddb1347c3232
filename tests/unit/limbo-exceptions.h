/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_LIMBO_EXCEPTIONS_H
#define TESTS_UNIT_LIMBO_EXCEPTIONS_H

/* Where path_build() is of another opinion than x509-limbo, and why. */

#define LONG "more than LIMIT_CHAIN_CERTS certificates"
#define LEAF_CA "a CA's certificate is no person's"
#define CLIENT_AUTH                                                                                \
	"clientAuth is asked for by name, of the leaf and of issuers that have the extension"
#define FRACTION "the last second ends when it begins: strict by less than a second"
#define CRITICAL "RFC 5280 4.2.1.10: they must be; rfc5280::nc has the same case to be refused"
#define DEPTH "a limit of the case's own; ours is LIMIT_CHAIN_CERTS"
#define KEY_IDS "RFC 5280 4.2.1.1 and 4.2.1.2 bind issuers; key identifiers never make a path"
#define NAMES "a server's name is cert_matches_host()'s; a person is known by key or certificate"
#define CABF "a rule of the CA/Browser Forum alone"

static const struct limbo_exception {
	const char *id, *reason;
} limbo_exceptions[] = {
	/* limbo accepts, we refuse */
	{ "cve::cve-2024-0567", LONG },
	{ "pathlen::validation-ignores-pathlen-in-leaf", LEAF_CA },
	{ "rfc5280::ca-as-leaf", LEAF_CA },
	{ "rfc5280::eku::ee-without-eku", CLIENT_AUTH },
	{ "online::google.com", CLIENT_AUTH },
	{ "online::aws.amazon.com", CLIENT_AUTH },
	{ "online::fastly.com", CLIENT_AUTH },
	{ "online::apple.com", CLIENT_AUTH },
	{ "online::stackoverflow.com", CLIENT_AUTH },
	{ "online::microsoft.com", CLIENT_AUTH },
	{ "online::cloudflare.com", CLIENT_AUTH },
	{ "online::storage.googleapis.com", CLIENT_AUTH },
	{ "online::bing.com", CLIENT_AUTH },
	{ "rfc5280::validity::notafter-fractional", FRACTION },
	{ "webpki::nc::permitted-dns-match-noncritical", CRITICAL },
	/* limbo refuses, we accept */
	{ "pathlen::max-chain-depth-0-exhausted", DEPTH },
	{ "pathlen::max-chain-depth-1-exhausted", DEPTH },
	{ "rfc5280::aki::leaf-missing-aki", KEY_IDS },
	{ "rfc5280::aki::intermediate-missing-aki", KEY_IDS },
	{ "rfc5280::aki::cross-signed-root-missing-aki", KEY_IDS },
	{ "rfc5280::ski::root-missing-ski", KEY_IDS },
	{ "rfc5280::ski::intermediate-missing-ski", KEY_IDS },
	{ "webpki::aki::root-with-aki-missing-keyidentifier", KEY_IDS },
	{ "webpki::aki::root-with-aki-authoritycertissuer", KEY_IDS },
	{ "webpki::aki::root-with-aki-authoritycertserialnumber", KEY_IDS },
	{ "webpki::aki::root-with-aki-all-fields", KEY_IDS },
	{ "webpki::aki::root-with-aki-ski-mismatch", KEY_IDS },
	{ "webpki::cn::ipv4-hex-mismatch", NAMES },
	{ "webpki::cn::ipv4-leading-zeros-mismatch", NAMES },
	{ "webpki::cn::ipv6-uppercase-mismatch", NAMES },
	{ "webpki::cn::ipv6-uncompressed-mismatch", NAMES },
	{ "webpki::cn::ipv6-non-rfc5952-mismatch", NAMES },
	{ "webpki::cn::punycode-not-in-san", NAMES },
	{ "webpki::cn::utf8-vs-punycode-mismatch", NAMES },
	{ "webpki::cn::not-in-san", NAMES },
	{ "webpki::cn::case-mismatch", NAMES },
	{ "webpki::san::mismatch-domain-san", NAMES },
	{ "webpki::san::mismatch-subdomain-san", NAMES },
	{ "webpki::san::mismatch-subdomain-apex-san", NAMES },
	{ "webpki::san::mismatch-apex-subdomain-san", NAMES },
	{ "webpki::san::public-suffix-wildcard-san", NAMES },
	{ "webpki::san::public-suffix-multi-label-wildcard-san", NAMES },
	{ "webpki::san::public-suffix-private-namespace-wildcard-san", NAMES },
	{ "webpki::san::wildcard-match-across-labels-san", NAMES },
	{ "webpki::san::no-san", NAMES },
	{ "webpki::eku::ee-critical-eku", CABF },
	{ "webpki::eku::root-has-eku", CABF },
	{ "webpki::san::san-critical-with-nonempty-subject", CABF },
};

#endif
