/* SPDX-License-Identifier: MIT */
/* What a test asks and changes while devices are plugged in. */
#include "emu_bus.h"
#include "emu_usb.h"

#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_cond_t changed;
static unsigned waiting; /* for changed */
static uint64_t seed_state;
static bool splits;
static unsigned long transfers;

static void prepare(void)
{
    emu_condition(&changed);
}

bool emu_bus_seeded(void)
{
    return seed_state != 0;
}

bool emu_bus_is_split(void)
{
    return splits;
}

void emu_bus_count(void)
{
    transfers++;
}

unsigned emu_bus_random(unsigned below)
{
    if (seed_state == 0)
        return 0;
    /* xorshift64 */
    seed_state ^= seed_state << 13;
    seed_state ^= seed_state >> 7;
    seed_state ^= seed_state << 17;
    return (unsigned)((seed_state >> 32) % below);
}

void emu_bus_changed(void)
{
    if (waiting > 0)
        pthread_cond_broadcast(&changed);
}

void emu_usb_bind(struct emu_interface *interface, const char *driver)
{
    free(interface->driver);
    interface->driver = driver != NULL ? strdup(driver) : NULL;
}

static struct emu_usb *usb_of(const struct emu_device *device)
{
    return device->host == &emu_engine_host ? device->host_state : NULL;
}

const char *emu_bus_path(const struct emu_device *device)
{
    const char *path;

    emu_lock();
    path = usb_of(device) != NULL ? usb_of(device)->path : NULL;
    emu_unlock();
    return path;
}

unsigned emu_bus_number(const struct emu_device *device)
{
    unsigned bus;

    emu_lock();
    bus = usb_of(device) != NULL ? usb_of(device)->bus : 0;
    emu_unlock();
    return bus;
}

unsigned emu_bus_address(const struct emu_device *device)
{
    unsigned address;

    emu_lock();
    address = usb_of(device) != NULL ? usb_of(device)->address : 0;
    emu_unlock();
    return address;
}

void emu_bus_permit(struct emu_device *device, bool permitted)
{
    struct emu_usb *usb;

    emu_lock();
    usb = usb_of(device);
    if (usb != NULL) {
        usb->denied = !permitted;
        emu_notify(usb, EMU_NOTICE_CHANGED);
    }
    emu_unlock();
}

void emu_bus_hold(struct emu_device *device, unsigned interface, bool held)
{
    struct emu_usb *usb;

    emu_lock();
    usb = usb_of(device);
    if (usb != NULL && interface < EMU_INTERFACES) {
        if (!held)
            emu_notify(usb, EMU_NOTICE_CLOSED); /* by the program that has held it */
        usb->interfaces[interface].held = held;
        emu_udev_tell_interface(usb, interface, held ? "bind" : "unbind");
    }
    emu_unlock();
}

void emu_bus_bind(struct emu_device *device, unsigned interface, const char *driver)
{
    struct emu_usb *usb;

    emu_lock();
    usb = usb_of(device);
    if (usb != NULL && interface < EMU_INTERFACES) {
        emu_usb_bind(&usb->interfaces[interface], driver);
        emu_udev_tell_interface(usb, interface, driver != NULL ? "bind" : "unbind");
    }
    emu_unlock();
}

static bool await(const struct emu_device *device, int endpoint, unsigned count, unsigned timeout_ms)
{
    struct timespec until;
    bool in_time = true, met = false;

    pthread_once(&once, prepare);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    emu_lock();
    waiting++;
    for (;;) {
        struct emu_usb *usb = usb_of(device);

        if (usb != NULL)
            met =
                endpoint < 0 ? usb->files == count : emu_endpoint(usb, (unsigned)endpoint)->pending >= count;
        if (met || !in_time)
            break;
        in_time = emu_wait(&changed, &until);
    }
    waiting--;
    emu_unlock();
    return met;
}

bool emu_bus_await_files(const struct emu_device *device, unsigned count, unsigned timeout_ms)
{
    return await(device, -1, count, timeout_ms);
}

bool emu_bus_await_pending(const struct emu_device *device, uint8_t endpoint, unsigned count,
                           unsigned timeout_ms)
{
    return await(device, endpoint, count, timeout_ms);
}

void emu_bus_seed(uint64_t seed)
{
    emu_lock();
    seed_state = seed;
    emu_unlock();
}

void emu_bus_split(bool split)
{
    emu_lock();
    splits = split;
    emu_unlock();
}

unsigned long emu_bus_transfers(void)
{
    unsigned long count;

    emu_lock();
    count = transfers;
    emu_unlock();
    return count;
}
