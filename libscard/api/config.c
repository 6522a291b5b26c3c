/* SPDX-License-Identifier: MIT */
#include "api/config.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/rc.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

void config_fini(struct config *config)
{
    for (size_t i = 0; i < config->count; i++) {
        free(config->readers[i].uri);
        free(config->readers[i].path);
    }
    free(config->readers);
}

static unsigned line_of(const config_setting_t *setting)
{
    return (unsigned)config_setting_source_line(setting);
}

static int append(struct config *config, const char *text, const char *path, unsigned line)
{
    struct config_reader *grown = realloc(config->readers, (config->count + 1) * sizeof *grown), *last;

    if (!grown)
        return RC_NO_MEMORY;
    config->readers = grown;
    last = &grown[config->count++];
    *last = (struct config_reader){.uri = strdup(text), .path = strdup(path), .line = line};
    return last->uri && last->path ? RC_OK : RC_NO_MEMORY;
}

static int take_readers(const char *path, const config_setting_t *readers, struct config *config)
{
    if (!config_setting_is_list(readers) && !config_setting_is_array(readers))
        return detail_set(RC_NO_SERVICE, "%s, line %u: write the readers as readers = ( \"sim:iso\", … );",
                          path, line_of(readers));
    for (int i = 0; i < config_setting_length(readers); i++) {
        const config_setting_t *item = config_setting_get_elem(readers, (unsigned)i);
        const char *text = config_setting_get_string(item);
        int rc;

        if (!text)
            return detail_set(RC_NO_SERVICE,
                              "%s, line %u: a reader is a text in quotes, such as \"vpcd:35963\"", path,
                              line_of(item));
        rc = append(config, text, path, line_of(item));
        if (rc)
            return rc;
    }
    return RC_OK;
}

static int take_usb(const char *path, const config_setting_t *usb, struct config *config)
{
    if (config_setting_type(usb) != CONFIG_TYPE_BOOL)
        return detail_set(RC_NO_SERVICE, "%s, line %u: write usb = true; or usb = false;", path,
                          line_of(usb));
    config->usb = config_setting_get_bool(usb);
    return RC_OK;
}

static int take_settings(const char *path, const config_t *text, struct config *config)
{
    const config_setting_t *root = config_root_setting(text);
    int rc = RC_OK;

    for (int i = 0; i < config_setting_length(root) && !rc; i++) {
        const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
        const char *name = config_setting_name(setting);

        if (!strcmp(name, "readers"))
            rc = take_readers(path, setting, config);
        else if (!strcmp(name, "usb"))
            rc = take_usb(path, setting, config);
        else
            rc = detail_set(RC_NO_SERVICE, "%s, line %u: unknown setting '%s'; known are readers and usb",
                            path, line_of(setting), name);
    }
    return rc;
}

/* libconfig's scanner ends the process when it cannot read, as from a folder. So it is given the text, and
 * may not open files that the text includes. */
static int check_text(const char *path, const char *text, size_t length)
{
    unsigned line = 1;

    if (memchr(text, '\0', length))
        return detail_set(RC_NO_SERVICE, "%s holds a byte 00: it is no text", path);
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n', line++)
        if (!strncmp(at + strspn(at, " \t"), "@include", 8))
            return detail_set(RC_NO_SERVICE, "%s, line %u: files cannot be included; write the readers here",
                              path, line);
    return RC_OK;
}

/* Bytes of a file. Some files have no end, such as /dev/zero. */
#define LENGTH_MAX (16u << 20)

/* The whole file as a string, in text. */
static int load(const char *path, int fd, struct buffer *text)
{
    int rc = file_read(fd, LENGTH_MAX, text);

    if (text->length > LENGTH_MAX)
        return detail_set(RC_NO_SERVICE, "%s has more than %u bytes: it is no configuration", path,
                          LENGTH_MAX);
    if (rc == RC_IO)
        return detail_set(RC_NO_SERVICE, "%s cannot be read: %s", path, strerror(errno));
    if (rc)
        return rc;
    text->data[text->length] = '\0';
    return check_text(path, (const char *)text->data, text->length);
}

/* One that was named may be a pipe, as a shell's <(...) is. To look at what lies where files are looked for
 * must not wait until somebody writes. */
static int open_file(const char *path, bool named)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | (named ? 0 : O_NONBLOCK));
    struct stat about;

    if (fd < 0 || named || fstat(fd, &about) || !S_ISFIFO(about.st_mode))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

static int read_file(const char *path, bool must_exist, struct config *found)
{
    int fd = open_file(path, must_exist), rc;
    struct buffer text = {0};
    config_t config;

    if (fd < 0 && errno == ENOENT && !must_exist)
        return RC_OK;
    if (fd < 0)
        return detail_set(RC_NO_SERVICE, "%s cannot be read: %s", path, strerror(errno));
    rc = load(path, fd, &text);
    close(fd);
    config_init(&config);
    if (!rc && config_read_string(&config, (const char *)text.data))
        rc = take_settings(path, &config, found);
    else if (!rc)
        rc = detail_set(RC_NO_SERVICE, "%s, line %d: %s; mend the line or take it out", path,
                        config_error_line(&config), config_error_text(&config));
    config_destroy(&config);
    buffer_fini(&text);
    return rc;
}

static int read_user_file(struct config *found)
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
    rc = read_file(path, false, found);
    free(path);
    return rc;
}

int config_check(const char *path)
{
    struct config found = {.usb = true};
    int rc = read_file(path, true, &found);

    config_fini(&found);
    return rc;
}

int config_load(struct config *ret_config)
{
    const char *named = secure_getenv("SCARD_CONFIG");
    struct config found = {.usb = true};
    int rc;

    if (named && named[0]) {
        rc = read_file(named, true, &found);
    } else {
        rc = read_file(SYSCONFDIR "/scard/scard.conf", false, &found);
        if (!rc)
            rc = read_user_file(&found);
    }
    if (rc) {
        config_fini(&found);
        return rc;
    }
    *ret_config = found;
    return RC_OK;
}
