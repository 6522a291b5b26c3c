/* SPDX-License-Identifier: MIT */
#include "api/config.h"

#include <errno.h>
#include <libconfig.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

struct uris {
    char **list;
    size_t count;
};

void config_free(char **uris, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(uris[i]);
    free(uris);
}

static int append(struct uris *uris, const char *text)
{
    char **grown = realloc(uris->list, (uris->count + 1) * sizeof *grown);

    if (!grown)
        return RC_NO_MEMORY;
    uris->list = grown;
    grown[uris->count] = strdup(text);
    if (!grown[uris->count])
        return RC_NO_MEMORY;
    uris->count++;
    return RC_OK;
}

static int take_readers(const char *path, const config_t *config, struct uris *uris)
{
    const config_setting_t *root = config_root_setting(config);
    const config_setting_t *readers;

    for (int i = 0; i < config_setting_length(root); i++) {
        const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);

        if (strcmp(config_setting_name(setting), "readers") != 0)
            return detail_set(RC_NO_SERVICE, "%s, line %u: unknown setting '%s'; known is: readers", path,
                              (unsigned)config_setting_source_line(setting), config_setting_name(setting));
    }
    readers = config_lookup(config, "readers");
    if (!readers)
        return RC_OK;
    if (!config_setting_is_list(readers) && !config_setting_is_array(readers))
        return detail_set(RC_NO_SERVICE, "%s, line %u: write the readers as readers = ( \"sim:iso\", … );", path,
                          (unsigned)config_setting_source_line(readers));
    for (int i = 0; i < config_setting_length(readers); i++) {
        const config_setting_t *item = config_setting_get_elem(readers, (unsigned)i);
        const char *text = config_setting_get_string(item);
        int rc;

        if (!text)
            return detail_set(RC_NO_SERVICE, "%s, line %u: a reader is a text in quotes, such as \"vpcd:35963\"",
                              path, (unsigned)config_setting_source_line(item));
        rc = append(uris, text);
        if (rc)
            return rc;
    }
    return RC_OK;
}

static int read_file(const char *path, bool must_exist, struct uris *uris)
{
    FILE *file = fopen(path, "re");
    config_t config;
    int rc;

    if (!file && errno == ENOENT && !must_exist)
        return RC_OK;
    if (!file)
        return detail_set(RC_NO_SERVICE, "%s cannot be read: %s", path, strerror(errno));
    config_init(&config);
    if (config_read(&config, file))
        rc = take_readers(path, &config, uris);
    else
        rc = detail_set(RC_NO_SERVICE, "%s, line %d: %s; mend the line or take it out", path,
                        config_error_line(&config), config_error_text(&config));
    config_destroy(&config);
    fclose(file);
    return rc;
}

static int read_user_file(struct uris *uris)
{
    const char *home = secure_getenv("XDG_CONFIG_HOME"), *below = "";
    char *path;
    int rc;

    /* XDG Base Directory: a relative path counts as unset. */
    if (!home || home[0] != '/') {
        home = secure_getenv("HOME");
        below = "/.config";
    }
    if (!home || home[0] != '/')
        return RC_OK;
    if (asprintf(&path, "%s%s/scard/scard.conf", home, below) < 0)
        return RC_NO_MEMORY;
    rc = read_file(path, false, uris);
    free(path);
    return rc;
}

int config_readers(char ***ret_uris, size_t *ret_count)
{
    const char *named = secure_getenv("SCARD_CONFIG");
    struct uris uris = {0};
    int rc;

    if (named && named[0]) {
        rc = read_file(named, true, &uris);
    } else {
        rc = read_file(SYSCONFDIR "/scard/scard.conf", false, &uris);
        if (!rc)
            rc = read_user_file(&uris);
    }
    if (rc) {
        config_free(uris.list, uris.count);
        return rc;
    }
    *ret_uris = uris.list;
    *ret_count = uris.count;
    return RC_OK;
}
