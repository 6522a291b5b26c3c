/* SPDX-License-Identifier: MIT */
/*
 * A program as it is written for Windows, where the includes are <windows.h>, <tchar.h> and <winscard.h>:
 * only Windows' names, text as TCHAR, compiled with and without UNICODE. It teaches the database a card,
 * finds it, remembers something of it, and asks the reader for what it is.
 */
#include <winscard.h>

#include <stdio.h>

static const BYTE g_rgAtr[] = {0x3B, 0x9F, 0x96, 0x81, 0x31, 0xFE, 0x45, 0x80, 0x31, 0xE0, 0x73, 0xF7,
                               0x41, 0xFF, 0x53, 0x73, 0x69, 0x6D, 0x83, 0x05, 0x90, 0x00, 0x5B};

/* C has no printf for TCHAR that both systems know; names here are ASCII. */
static void PrintText(LPCTSTR pszText)
{
    while (*pszText)
        putchar((char)*pszText++);
}

static LPCTSTR NextText(LPCTSTR pszText)
{
    while (*pszText)
        pszText++;
    return pszText + 1;
}

static int Failed(const char *pszCall, LONG lReturn)
{
    printf("%s: 0x%08lX\n", pszCall, (unsigned long)lReturn & 0xFFFFFFFFUL);
    return 1;
}

static LONG ListCards(SCARDCONTEXT hContext)
{
    LPTSTR pmszCards = NULL;
    DWORD cch = SCARD_AUTOALLOCATE;
    LONG lReturn = SCardListCards(hContext, g_rgAtr, NULL, 0, (LPTSTR)&pmszCards, &cch);
    LPCTSTR pszCard;

    if (lReturn != SCARD_S_SUCCESS)
        return lReturn;
    for (pszCard = pmszCards; *pszCard; pszCard = NextText(pszCard)) {
        printf("card type: ");
        PrintText(pszCard);
        printf("\n");
    }
    return SCardFreeMemory(hContext, pmszCards);
}

static LONG FindCard(SCARDCONTEXT hContext, LPTSTR pszFound, DWORD cchFound)
{
    LPTSTR pmszReaders = NULL;
    DWORD cch = SCARD_AUTOALLOCATE, i, cReaders = 0;
    SCARD_READERSTATE rgStates[MAXIMUM_SMARTCARD_READERS] = {0};
    LONG lReturn = SCardListReaders(hContext, SCARD_ALL_READERS, (LPTSTR)&pmszReaders, &cch);
    LPCTSTR pszReader;

    if (lReturn != SCARD_S_SUCCESS)
        return lReturn;
    for (pszReader = pmszReaders; *pszReader; pszReader = NextText(pszReader)) {
        rgStates[cReaders].szReader = pszReader;
        rgStates[cReaders].dwCurrentState = SCARD_STATE_UNAWARE;
        cReaders++;
    }
    lReturn = SCardLocateCards(hContext, _T("Example\0"), rgStates, cReaders);
    for (i = 0; lReturn == SCARD_S_SUCCESS && i < cReaders; i++) {
        printf("reader: ");
        PrintText(rgStates[i].szReader);
        printf("%s\n", rgStates[i].dwEventState & SCARD_STATE_ATRMATCH ? ", the card" : "");
        if (rgStates[i].dwEventState & SCARD_STATE_ATRMATCH)
            for (DWORD n = 0; n < cchFound && (n == 0 || pszFound[n - 1]); n++)
                pszFound[n] = rgStates[i].szReader[n];
    }
    SCardFreeMemory(hContext, pmszReaders);
    return lReturn;
}

static LONG UseCache(SCARDCONTEXT hContext)
{
    UUID card = {0x01234567, 0x89AB, 0xCDEF, {0, 1, 2, 3, 4, 5, 6, 7}};
    TCHAR szName[] = _T("Label");
    BYTE rgLabel[] = "My card";
    LPBYTE pbFound = NULL;
    DWORD cb = SCARD_AUTOALLOCATE;
    LONG lReturn = SCardWriteCache(hContext, &card, 3, szName, rgLabel, sizeof rgLabel);

    if (lReturn == SCARD_S_SUCCESS)
        lReturn = SCardReadCache(hContext, &card, 3, szName, (PBYTE)&pbFound, &cb);
    if (lReturn != SCARD_S_SUCCESS)
        return lReturn;
    printf("cached: %s\n", (const char *)pbFound);
    SCardFreeMemory(hContext, pbFound);
    cb = 0;
    lReturn = SCardReadCache(hContext, &card, 4, szName, NULL, &cb);
    printf("a newer one: %s\n", lReturn == SCARD_W_CACHE_ITEM_STALE ? "stale" : "?");
    return SCARD_S_SUCCESS;
}

static LONG UseCard(SCARDCONTEXT hContext, LPCTSTR pszReader)
{
    static const BYTE rgSelect[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
    SCARDHANDLE hCard = 0;
    DWORD dwProtocol = 0, cbAnswer = 2, dwType = 0, dwCount = 0;
    BYTE rgAnswer[2];
    LONG lReturn = SCardConnect(hContext, pszReader, SCARD_SHARE_SHARED,
                                SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &hCard, &dwProtocol);

    if (lReturn == SCARD_S_SUCCESS)
        lReturn = SCardTransmit(hCard, dwProtocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1,
                                rgSelect, sizeof rgSelect, NULL, rgAnswer, &cbAnswer);
    if (lReturn == SCARD_S_SUCCESS)
        lReturn = SCardGetTransmitCount(hCard, &dwCount);
    if (lReturn == SCARD_S_SUCCESS)
        lReturn = SCardGetDeviceTypeId(hContext, pszReader, &dwType);
    if (lReturn == SCARD_S_SUCCESS)
        printf("select: %02X%02X, exchanges: %lu, type: %lX\n", rgAnswer[0], rgAnswer[1],
               (unsigned long)dwCount, (unsigned long)dwType);
    if (hCard)
        SCardDisconnect(hCard, SCARD_LEAVE_CARD);
    return lReturn;
}

static LONG Choose(SCARDCONTEXT hContext)
{
    OPENCARDNAME_EX dlg = {0};
    OPENCARD_SEARCH_CRITERIA criteria = {0};
    TCHAR szReader[256], szCard[256], mszCards[] = _T("Example\0");
    LONG lReturn;

    criteria.dwStructSize = sizeof criteria;
    criteria.lpstrCardNames = mszCards;
    criteria.nMaxCardNames = sizeof mszCards / sizeof *mszCards;
    dlg.dwStructSize = sizeof dlg;
    dlg.hSCardContext = hContext;
    dlg.dwFlags = SC_DLG_NO_UI;
    dlg.pOpenCardSearchCriteria = &criteria;
    dlg.lpstrRdr = szReader;
    dlg.nMaxRdr = 256;
    dlg.lpstrCard = szCard;
    dlg.nMaxCard = 256;
    lReturn = SCardUIDlgSelectCard(&dlg);
    if (lReturn == SCARD_S_SUCCESS) {
        printf("chosen: ");
        PrintText(szCard);
        printf("\n");
    }
    return lReturn;
}

int main(void)
{
    TCHAR szReader[256] = {0};
    SCARDCONTEXT hContext;
    HANDLE hStarted = SCardAccessStartedEvent();
    LONG lReturn = SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &hContext);

    printf("started: %s\n", hStarted ? "yes" : "no");
    SCardReleaseStartedEvent();
    if (lReturn != SCARD_S_SUCCESS)
        return Failed("SCardEstablishContext", lReturn);
    lReturn = SCardIntroduceCardType(hContext, _T("Example"), NULL, NULL, 0, g_rgAtr, NULL, sizeof g_rgAtr);
    if (lReturn != SCARD_S_SUCCESS)
        return Failed("SCardIntroduceCardType", lReturn);
    if ((lReturn = ListCards(hContext)) != SCARD_S_SUCCESS)
        return Failed("SCardListCards", lReturn);
    if ((lReturn = FindCard(hContext, szReader, 256)) != SCARD_S_SUCCESS)
        return Failed("SCardLocateCards", lReturn);
    if ((lReturn = UseCache(hContext)) != SCARD_S_SUCCESS)
        return Failed("SCardReadCache", lReturn);
    if ((lReturn = UseCard(hContext, szReader)) != SCARD_S_SUCCESS)
        return Failed("SCardConnect", lReturn);
    if ((lReturn = Choose(hContext)) != SCARD_S_SUCCESS)
        return Failed("SCardUIDlgSelectCard", lReturn);
    lReturn = SCardForgetCardType(hContext, _T("Example"));
    if (lReturn != SCARD_S_SUCCESS)
        return Failed("SCardForgetCardType", lReturn);
    return SCardReleaseContext(hContext) != SCARD_S_SUCCESS;
}
