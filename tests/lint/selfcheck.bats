#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Each lint passes a small clean tree and finds each fault that is put into it.

setup() {
    load /usr/lib/bats/bats-support/load.bash
    load /usr/lib/bats/bats-assert/load.bash
    lint=$BATS_TEST_DIRNAME
    tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree"/{libscard/{base,iso,driver,manager,api,sim},cli,commands}
    write commands/atr.c '#include "cli/kit.h"' 'int run(void) { return kit; }'
    write cli/kit.h 'extern int kit;'
    write libscard/iso/tlv.c '#include "base/bytes.h"' 'int tlv(void) { return 0; }'
    write libscard/base/bytes.h 'int bytes;'
}

# write FILE LINE…
write() {
    printf '%s\n' '/* SPDX-License-Identifier: MIT */' "${@:2}" >"$tree/$1"
}

@test "floors passes a clean tree" {
    run "$lint/floors" "$tree"
    assert_success
    assert_output --partial '4 files, 0 findings'
}

@test "floors finds a way up, sideways, past a seam, without folder, and a public header below" {
    write libscard/base/ids.c '#include "iso/tlv.h"'
    write libscard/manager/slot.c '#include "driver/vpcd.h"' '#include "driver/reader.h"' '#include <winscard.h>'
    write libscard/sim/card.c '#include "card.h"'
    write libscard/api/card.c '#include "driver/vpcd.h"'
    write commands/list.c '#include "commands/atr.h"'
    write cli/shell.c '#include "commands/commands.h"'
    run "$lint/floors" "$tree"
    assert_failure 1
    assert_line 'libscard/base/ids.c:2: base may not include "iso/tlv.h"'
    assert_line 'libscard/manager/slot.c:2: manager may not include "driver/vpcd.h"'
    assert_line 'libscard/manager/slot.c:4: <winscard.h> is not for manager'
    assert_line 'libscard/sim/card.c:2: "card.h" is included without its folder'
    assert_line 'libscard/api/card.c:2: api may not include "driver/vpcd.h"'
    assert_line 'commands/list.c:2: commands may not include "commands/atr.h"'
    assert_line 'cli/shell.c:2: cli may not include "commands/commands.h"'
    assert_line --partial '7 findings'
}

@test "floors lets setup.c name drivers and main.c the commands, and knows every folder" {
    write libscard/api/setup.c '#include "driver/vpcd.h"' '#include "sim/mount.h"'
    write cli/main.c '#include "commands/commands.h"'
    run "$lint/floors" "$tree"
    assert_success
    mkdir "$tree/libscard/attic"
    write libscard/attic/old.c
    run "$lint/floors" "$tree"
    assert_failure 1
    assert_output --partial "the floor 'attic' is not known"
}

@test "floors keeps kit and commands from the fronts, and readline in its place" {
    printf 'add_library(scard_fronts OBJECT\n  line.c shell.c)\n' >"$tree/cli/CMakeLists.txt"
    write cli/line.c '#include <readline/readline.h>'
    write cli/main.c '#include "cli/shell.h"' '#include <readline/readline.h>'
    write cli/shell.c '#include "cli/shell.h"' '#include "cli/line.h"' '#include "cli/kit.h"'
    write cli/kit.c '#include "cli/shell.h"'
    write commands/shell.c '#include "cli/line.h"'
    run "$lint/floors" "$tree"
    assert_failure 1
    assert_line 'cli/main.c:3: readline is for cli/line.c and line_hint.c'
    assert_line 'cli/kit.c:2: only a front may include "cli/shell.h"'
    assert_line 'commands/shell.c:2: only a front may include "cli/line.h"'
    assert_line --partial '3 findings'
}

@test "a lint without input fails" {
    mkdir "$tree/empty"
    for each in floors objects spdx sizes; do
        run "$lint/$each" "$tree/empty"
        assert_failure
    done
}

@test "objects passes a clean tree, constant tables with pointers included" {
    write commands/list.c 'static const char *const words[] = {"a", "b"};' \
        'const char *word(int i) { return words[i]; }'
    run "$lint/objects" "$tree"
    assert_success
}

@test "objects finds streams, exit, getopt and static data in a command" {
    write commands/list.c '#include <stdio.h>' '#include <stdlib.h>' '#include <unistd.h>' \
        'static int calls;' \
        'int run(int c, char **v) { printf("%d", ++calls); if (getopt(c, v, "a")) exit(1); return 0; }'
    run "$lint/objects" "$tree"
    assert_failure 1
    assert_line 'commands/list.c: a command may not keep static data: calls'
    for name in printf getopt exit; do
        assert_line "commands/list.c: a command may not use $name"
    done
    assert_line --partial '4 findings'
}

@test "objects finds a command that uses another" {
    write commands/list.c 'int list(void);' 'int list(void) { return 0; }'
    write commands/watch.c 'int list(void);' 'int watch(void) { return list(); }'
    run "$lint/objects" "$tree"
    assert_failure 1
    assert_line 'commands/watch.c: a command may not use list'
    assert_line --partial '1 findings'
}

@test "objects finds heap in iso, locks in a driver, output in the library, and what does not compile" {
    write libscard/iso/tlv.c '#include <stdlib.h>' 'void *tlv(void) { return malloc(1); }'
    write libscard/driver/vpcd.c '#include <pthread.h>' 'void f(pthread_mutex_t *m) { pthread_mutex_lock(m); }'
    write libscard/manager/slot.c '#include <stdio.h>' 'void f(void) { puts("here"); }'
    write libscard/api/card.c 'no C'
    run "$lint/objects" "$tree"
    assert_failure 1
    assert_line 'libscard/iso/tlv.c: iso may not use malloc'
    assert_line 'libscard/driver/vpcd.c: a floor under the manager may not use pthread_mutex_lock'
    assert_line 'libscard/manager/slot.c: the library may not use puts'
    assert_line --partial 'libscard/api/card.c: does not compile'
    assert_line --partial '4 findings'
}

@test "spdx finds a source without licence, and one with it too late" {
    run "$lint/spdx" "$tree"
    assert_success
    echo 'int a;' >"$tree/cli/a.c"
    printf '\n/* SPDX-License-Identifier: MIT */\n' >"$tree/cli/b.c"
    run "$lint/spdx" "$tree"
    assert_failure 1
    assert_line --partial 'cli/a.c: no SPDX'
    assert_line --partial 'cli/b.c: no SPDX'
}

@test "symbols finds one too many and one too few" {
    cd "$BATS_TEST_TMPDIR"
    printf '%s\n' '{' '  global:' '    alpha;' '    beta;' '  local:' '    *;' '};' >map
    echo 'int alpha, beta;' | cc -shared -fPIC -x c - -o good.so
    echo 'int alpha, gamma_;' | cc -shared -fPIC -x c - -o bad.so
    run "$lint/symbols" good.so map
    assert_success
    run "$lint/symbols" bad.so map
    assert_failure 1
    assert_line 'bad.so: beta is in the map and not exported'
    assert_line 'bad.so: gamma_ is exported and not in the map'
}

@test "sizes names long functions and long files, with their true lengths" {
    {
        echo '/* SPDX-License-Identifier: MIT */'
        echo 'int f(void)'
        echo '{'
        for i in $(seq 100); do echo '    g();'; done
        echo '    return 0;'
        echo '}'
        for i in $(seq 300); do echo; done
    } >"$tree/cli/long.c"
    run "$lint/sizes" "$tree"
    assert_success
    assert_line 'cli/long.c:3: f has 101 lines'
    assert_line 'cli/long.c: 405 lines'
    assert_line --partial '1 over 60 lines, 1 over 100'
}
