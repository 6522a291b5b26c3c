/* SPDX-License-Identifier: MIT */
/* Bytes that come to a session: frames lie in what came, a request that parses is made of the same bytes
 * again. */
#include <string.h>

#include "base/rc.h"
#include "cli/session_wire.h"
#include "tests/fuzz/fuzz.h"

static void parse_request(struct bytes body)
{
    struct session_request request;
    struct buffer again = {0};
    int rc = session_request_parse(body, &request);

    FUZZ_CHECK(rc == RC_OK || rc == RC_INVALID_VALUE);
    if (rc < 0)
        return;
    FUZZ_CHECK(request.argc > 0 && request.argv[request.argc] == NULL);
    FUZZ_CHECK(session_request_append(&request, &again) == RC_OK);
    FUZZ_CHECK(again.length == body.left && memcmp(again.data, body.at, body.left) == 0);
    buffer_fini(&again);
    session_request_fini(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct session_wire wire;
    struct session_facts facts;
    struct bytes body;
    uint8_t type;

    session_wire_init(&wire, -1);
    FUZZ_CHECK(buffer_append(&wire.in, input, size) == RC_OK);
    while (session_wire_first(&wire, &type, &body) == 1) {
        size_t before = wire.in.length;

        FUZZ_CHECK(fuzz_inside(body.at, body.left, wire.in.data, wire.in.length));
        parse_request(body);
        if (session_facts_parse(body, &facts) == RC_OK)
            FUZZ_CHECK(
                fuzz_inside((const uint8_t *)facts.reader, strlen(facts.reader) + 1, body.at, body.left));
        session_wire_drop(&wire);
        FUZZ_CHECK(wire.in.length < before);
    }
    session_wire_fini(&wire);
    parse_request(bytes_of(input, size));
    return 0;
}
