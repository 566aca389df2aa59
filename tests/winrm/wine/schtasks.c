/* schtasks: what Wine's own really does (/create /xml, /change /enable, /delete) is handed on to it; the rest, which
   it only pretends to do, is refused. */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

static int has(int count, wchar_t **words, const wchar_t *word)
{
    for (int i = 1; i < count; i++)
        if (!_wcsicmp(words[i], word))
            return 1;
    return 0;
}

int wmain(int count, wchar_t **words)
{
    static WCHAR line[32767];
    STARTUPINFOW start = {sizeof start};
    PROCESS_INFORMATION process;
    DWORD code = 87;
    if (!((has(count, words, L"/create") && has(count, words, L"/xml"))
          || (has(count, words, L"/change") && has(count, words, L"/enable")) || has(count, words, L"/delete"))) {
        fprintf(stderr, "schtasks: Wine's own only pretends to do this\n");
        return 87;
    }
    /* The rest of our own line, after the program's name. */
    const WCHAR *rest = GetCommandLineW();
    if (*rest == L'"')
        rest = wcschr(rest + 1, L'"') + 1;
    else
        while (*rest && *rest != L' ')
            rest++;
    swprintf(line, 32767, L"C:\\windows\\system32\\schtasks.exe%ls", rest);
    if (!CreateProcessW(L"C:\\windows\\system32\\schtasks.exe", line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &process))
        return (int)GetLastError();
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    return (int)code;
}
