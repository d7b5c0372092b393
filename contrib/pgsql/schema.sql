-- SPDX-License-Identifier: BSD-2-Clause
--
-- Routes for Postfix and smtproute, shared by any number of gateways: see
-- README beside this file.

CREATE TABLE routes (
	-- What transport(5) looks up: a domain, ".domain" for its subdomains,
	-- or "*"; in lower case, A-labels for other letters than a to z.
	key text PRIMARY KEY
		CHECK (key ~ '^([*]|[.]?[a-z0-9_-]+([.][a-z0-9_-]+)*)$'),
	-- A route, as in smtproute_routes(5), or the name of one that each
	-- gateway has in its own map.  A host alone needs its port or brackets,
	-- or it would be taken for a name.
	destinations text NOT NULL
		CHECK (destinations !~ '[^!-~]' AND destinations <> ''
			AND lower(destinations) <> 'usedns')
);

-- Who may only read: the user of routes.cf.
CREATE ROLE smtproute_reader LOGIN;
GRANT SELECT ON routes TO smtproute_reader;
