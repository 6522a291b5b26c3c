# SPDX-License-Identifier: MIT
"""pyscard_calls.py READER SIM: the calls that pyscard's guide shows, on libcacard's card in READER and on the
simulated reader SIM, whose card can be put in and out by a control code. Prints "all done"."""
import sys
import threading

from smartcard.CardConnectionObserver import CardConnectionObserver
from smartcard.CardMonitoring import CardMonitor, CardObserver
from smartcard.CardRequest import CardRequest
from smartcard.CardType import ATRCardType, AnyCardType
from smartcard.CardConnection import CardConnection
from smartcard.Exceptions import CardRequestTimeoutException
from smartcard.ReaderMonitoring import ReaderMonitor, ReaderObserver
from smartcard.System import readergroups, readers
from smartcard.scard import *
from smartcard.util import toBytes, toHexString

ATR = toBytes("3B 7A 18 00 00 73 66 74 65 20 63 64 31 34 34")
SELECT = toBytes("00 A4 04 00 07 A0 00 00 00 79 01 00")
INSERT, REMOVE = 0x42002580, 0x42002581
LONG_ENOUGH = 50


def the(name):
    return next(reader for reader in readers() if str(reader) == name)


def objects(name):
    assert name in [str(reader) for reader in readers()]
    assert "SCard$DefaultReaders" in readergroups()
    connection = the(name).createConnection()
    connection.connect()
    assert connection.getATR() == ATR
    assert connection.getProtocol() == CardConnection.T0_protocol
    data, sw1, sw2 = connection.transmit(SELECT)
    assert (data, sw1, sw2) == ([], 0x61, 0x0D), (data, sw1, sw2)
    data, sw1, sw2 = connection.transmit([0x00, 0xC0, 0x00, 0x00, sw2])
    assert toHexString(data) == "6F 0B 84 07 A0 00 00 00 79 01 00 A5 00" and (sw1, sw2) == (0x90, 0x00)
    connection.disconnect()


class Seen(CardConnectionObserver):
    def __init__(self):
        self.types = []

    def update(self, connection, event):
        self.types.append(event.type)


def requests(name):
    service = CardRequest(timeout=LONG_ENOUGH, cardType=ATRCardType(ATR), readers=[the(name)]).waitforcard()
    seen = Seen()
    service.connection.addObserver(seen)
    service.connection.connect()
    service.connection.transmit(SELECT)
    service.connection.disconnect()
    assert seen.types == ["connect", "command", "response", "disconnect"], seen.types
    try:
        CardRequest(timeout=0.01, cardType=ATRCardType([0x3B, 0x00]), readers=[the(name)]).waitforcard()
        raise AssertionError("a card that is not there was found")
    except CardRequestTimeoutException:
        pass


def check(result, code=SCARD_S_SUCCESS):
    assert result[0] == code, SCardGetErrorMessage(result[0])
    return result[1:]


def functions(name):
    context, = check(SCardEstablishContext(SCARD_SCOPE_USER))
    assert name in check(SCardListReaders(context, []))[0]
    card, protocol = check(SCardConnect(context, name, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1))
    other, _ = check(SCardConnect(context, name, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1))
    assert protocol == SCARD_PROTOCOL_T0
    assert SCardBeginTransaction(card) == SCARD_S_SUCCESS
    assert check(SCardTransmit(card, SCARD_PCI_T0, SELECT))[0] == [0x61, 0x0D]
    check(SCardConnect(context, name, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0), SCARD_E_SHARING_VIOLATION)
    assert SCardEndTransaction(card, SCARD_LEAVE_CARD) == SCARD_S_SUCCESS
    assert check(SCardGetAttrib(card, SCARD_ATTR_ATR_STRING))[0] == ATR
    assert check(SCardStatus(card))[0] == name
    assert check(SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0, SCARD_RESET_CARD))[0] == protocol
    check(SCardTransmit(other, SCARD_PCI_T0, SELECT), SCARD_W_RESET_CARD)
    assert SCardDisconnect(other, SCARD_LEAVE_CARD) == SCARD_S_SUCCESS
    assert SCardDisconnect(card, SCARD_UNPOWER_CARD) == SCARD_S_SUCCESS
    assert SCardDisconnect(card, SCARD_LEAVE_CARD) == SCARD_E_INVALID_HANDLE
    states, = check(SCardGetStatusChange(context, 0, [(name, SCARD_STATE_UNAWARE)]))
    assert states[0][1] & SCARD_STATE_PRESENT and states[0][2] == ATR
    assert SCardReleaseContext(context) == SCARD_S_SUCCESS


def control(name, code):
    context, = check(SCardEstablishContext(SCARD_SCOPE_USER))
    card, _ = check(SCardConnect(context, name, SCARD_SHARE_DIRECT, 0))
    check(SCardControl(card, code, []))
    check((SCardDisconnect(card, SCARD_LEAVE_CARD),))
    check((SCardReleaseContext(context),))


class Watcher(CardObserver, ReaderObserver):
    def __init__(self):
        self.changed = threading.Condition()
        self.there = set()

    def update(self, observable, change):
        with self.changed:
            self.there |= {getattr(one, "reader", str(one)) for one in change[0]}
            self.there -= {getattr(one, "reader", str(one)) for one in change[1]}
            self.changed.notify_all()

    def wait(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, LONG_ENOUGH)


def monitors(name, sim):
    listed, cards = Watcher(), Watcher()
    readers_monitor, cards_monitor = ReaderMonitor(period=0.01), CardMonitor()
    readers_monitor.addObserver(listed)
    listed.wait(lambda: {name, sim} <= listed.there)
    readers_monitor.deleteObserver(listed)
    cards_monitor.addObserver(cards)
    cards.wait(lambda: {name, sim} <= cards.there)
    control(sim, REMOVE)
    cards.wait(lambda: sim not in cards.there)
    control(sim, INSERT)
    cards.wait(lambda: sim in cards.there)
    cards_monitor.deleteObserver(cards)


objects(sys.argv[1])
requests(sys.argv[1])
functions(sys.argv[1])
monitors(*sys.argv[1:])
print("all done")
