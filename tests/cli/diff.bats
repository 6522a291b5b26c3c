#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scard diff and scard bench.
load helper

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
}

record() {
    scard run --trace "$1" -c "$2" >/dev/null
}

@test "the same card twice: no difference, whatever is random" {
    for file in a b; do
        record $file.jsonl '00A4000C022FE2; 84/08; 00B0000004; 0020008104"1234"'
    done
    run_apart "$SCARD_BIN" diff a.jsonl b.jsonl
    assert_success
    assert_output ''
    run scard diff --json a.jsonl b.jsonl
    assert_output '{"v":1,"t":"compared","same":4,"different":0}'
}

@test "a capture for Wireshark is a recording, too" {
    record a.pcapng '00A4000C022FE2; 00B0000004; 0020008104"1234"'
    record b.jsonl '00A4000C022FE2; 00B0000004; 0020008104"1234"'
    run scard diff --json a.pcapng b.jsonl
    assert_output '{"v":1,"t":"compared","same":3,"different":0}'
    run scard --readers replay:a.pcapng run -c '00A4000C022FE2; 00B0000004; 0020008104"4711"; 00B0000005'
    assert_failure 9
    assert_output --partial '989927109000'
    assert_output --partial 'a.pcapng: no answer to 00B0000005 was recorded' || assert_output --partial 'the program sent 00B0000005'
    head -c 100 a.pcapng >cut.pcapng
    run scard diff cut.pcapng b.jsonl
    assert_failure 2
    assert_output --partial 'damaged or cut off'
}

@test "one byte is one difference" {
    record a.jsonl '00A4000C022FE2; 00B0000004'
    sed 's/"98992710"/"98992711"/' a.jsonl >b.jsonl
    run scard diff a.jsonl b.jsonl
    assert_failure 1
    assert_output "$(printf 'answer\t2\t00B0000004\t989927109000\t989927119000')"
    run scard diff --ignore 3 a.jsonl b.jsonl
    assert_success
    run scard diff --ignore 0-2 a.jsonl b.jsonl
    assert_failure 1
    run scard diff --ignore nonsense a.jsonl b.jsonl
    assert_failure 2
}

@test "data objects are ignored by their tag, also inside others" {
    printf '# ATR: 3B00\n00A40000023F00\n6F06840141880101%s\n' 9000 >a.dump
    printf '# ATR: 3B00\n00A40000023F00\n6F06840141880102%s\n' 9000 >b.dump
    run scard diff a.dump b.dump
    assert_failure 1
    run scard diff --ignore tag:88 a.dump b.dump
    assert_success
    run scard diff --ignore tag:84 a.dump b.dump
    assert_failure 1
}

@test "what one lacks is told, and what follows is still paired" {
    record a.jsonl '00A4000C022FE2; 00B0000004; 00B0000402; 00A4000C023F00'
    record b.jsonl '00A4000C022FE2; 00B0000402; 00A4000C023F00; 00A4000C022FE2'
    run scard diff --json a.jsonl b.jsonl
    assert_failure 1
    assert_line --index 0 --partial '"what":"missing","n":2,"c":"00B0000004"'
    assert_line --index 1 --partial '"what":"added","n":4,"c":"00A4000C022FE2"'
    assert_line --index 2 '{"v":1,"t":"compared","same":3,"different":2}'
}

@test "formats mix, ATRs are compared, and a bad file is told" {
    record a.jsonl '00A4000C022FE2; 00B0000004'
    record a.cardpeek '00A4000C022FE2; 00B0000004'
    run scard diff a.jsonl a.cardpeek
    assert_success
    sed 's/^R:3B/R:3F/' a.cardpeek >b.cardpeek
    run scard diff a.jsonl b.cardpeek
    assert_failure 1
    assert_output --partial "$(printf 'atr\t3B')"
    echo '{"t":"apdu"}' >bad.jsonl
    run scard diff a.jsonl bad.jsonl
    assert_failure 2
    assert_output --partial 'bad.jsonl, line 1'
}

@test "bench tells the times of round trips" {
    run scard bench -n 50 --json
    assert_success
    run jq -e '.t == "bench" and .count == 50 and .sw == "9000" and .min_us <= .median_us and .median_us <= .p99_us
        and .p99_us <= .max_us and (.histogram | map(split(":")[1] | tonumber) | add) == 50' <<<"$output"
    assert_success
    run_apart "$SCARD_BIN" bench -n 20 00B0000000
    assert_success
    [ -z "$errors" ]
    assert_line --index 1 "$(printf 'count\t20')"
    run scard bench -n 50 --json
    run jq -e '(.histogram | map(split(":")[0]) | unique | length) == (.histogram | length)' <<<"$output"
    assert_success
    run scard bench 0020008104'"1234"'
    assert_failure 11
    run on_terminal bench -n 20
    assert_output --partial '20 round trips with scard sim:iso 00 00'
    assert_line --regexp ' us  #+ +[0-9]+$'
}

@test "a round trip that takes far longer than the others does not empty the picture" {
    cat >slow.pl <<'END'
use IO::Socket::INET;
my $socket;
until ($socket = IO::Socket::INET->new("127.0.0.1:$ARGV[0]")) { select undef, undef, undef, 0.01 }
my $count = 0;
while (read($socket, my $size, 2) == 2) {
    read $socket, my $body, unpack("n", $size);
    if (length $body == 1) {
        print $socket pack("n/a*", pack "H*", "3B800181") if $body eq "\4";
    } else {
        select undef, undef, undef, 0.3 if ++$count == 20;
        select undef, undef, undef, 0.002 * rand;
        print $socket pack("n/a*", pack "H*", "9000");
    }
    $socket->flush;
}
END
    port=$(scard --readers vpcd:0 list --json | jq -r '.device | ltrimstr("vpcd:")')
    perl slow.pl "$port" 3>&- &
    card=$!
    run scard --readers "vpcd:$port" run -c "wait --timeout 20; bench -n 100 --json"
    kill "$card" 2>/dev/null || true
    run jq -Re 'fromjson? | select(.t == "bench") | .max_us > 250000
        and (.histogram[15] | split(":")[0] | tonumber) < 100000
        and ([.histogram[] | select(split(":")[1] != "0")] | length) >= 6' <<<"$output"
    assert_success
}

@test "a slow card's time is in it" {
    run scard --readers 'sim:odd?delay=20' bench -n 3 --json
    assert_success
    run jq -e '.min_us >= 20000 and .card_min_us >= 20000 and .card_min_us <= .min_us and .reader_min_us < .min_us
        and .reader_min_us >= 0' <<<"$output"
    assert_success
    run on_terminal --readers 'sim:odd?delay=20' bench -n 3
    assert_line --regexp '^ +all +card +reader$'
    run in_shell 00A4000C023F00 'attrib get card-time'
    assert_line --regexp 'card-time.* us$'
}

@test "progress is for a terminal" {
    run on_terminal --readers 'sim:odd?delay=20' bench -n 40
    assert_output --regexp '% +[0-9]+ of 40 round trips'
    scard --readers 'sim:odd?delay=20' bench -n 40 2>errors >/dev/null
    [ ! -s errors ]
}
