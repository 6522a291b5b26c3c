/* SPDX-License-Identifier: MIT */
#include "cli/doctor/distribution.h"

#include <stdlib.h>
#include <string.h>

#include "cli/doctor/parse.h"

static const struct {
    const char *id;
    struct distribution distribution;
} known[] = {
    {"debian", {"sudo apt install", "pcscd", "libccid", "sudo update-initramfs -u"}},
    {"fedora", {"sudo dnf install", "pcsc-lite", "pcsc-lite-ccid", "sudo dracut --force"}},
    {"rhel", {"sudo dnf install", "pcsc-lite", "pcsc-lite-ccid", "sudo dracut --force"}},
    {"suse", {"sudo zypper install", "pcsc-lite", "pcsc-ccid", "sudo dracut --force"}},
    {"arch", {"sudo pacman -S", "pcsclite", "ccid", "sudo mkinitcpio -P"}},
    {"alpine", {"sudo apk add", "pcsc-lite", "ccid", "sudo mkinitfs"}},
};

const struct distribution *distribution_find(const struct system *system)
{
    char *text = system_text(system, "/etc/os-release"), id[32] = "", like[64] = "";
    size_t found = 0;

    if (text != NULL) {
        (void)parse_value(text, "ID", id, sizeof id);
        (void)parse_value(text, "ID_LIKE", like, sizeof like);
    }
    free(text);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(id, known[i].id) == 0 || strstr(like, known[i].id) != NULL) {
            found = i;
            break;
        }
    return &known[found].distribution;
}
