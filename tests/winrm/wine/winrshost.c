/* As Windows' own WinrsHost: starts `cmd.exe /C "LINE"`, or the bare line when WINRS_SKIP is 1, with its standard
   handles, and waits for it. The line comes in WINRS_CMDLINE, as the arguments of a Linux process would be quoted
   anew; the exit code, 32 bits, goes to the file WINRS_RESULT, as a Linux process ends with 8. */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

/* Wine's GetEnvironmentVariableW takes no larger one: the size wraps at 65535 bytes. */
static WCHAR line[32767], full[32767 + 64], result[MAX_PATH];

static int finish(DWORD code)
{
    FILE *file = *result ? _wfopen(result, L"w") : NULL;
    if (file) {
        fprintf(file, "%lu", (unsigned long)code);
        fclose(file);
    }
    return (int)code;
}

int main(void)
{
    WCHAR skip[8] = {0};
    STARTUPINFOW start = {0};
    PROCESS_INFORMATION process;
    DWORD code = 0;

    GetEnvironmentVariableW(L"WINRS_RESULT", result, MAX_PATH);
    if (!GetEnvironmentVariableW(L"WINRS_CMDLINE", line, 32767))
        return finish(ERROR_INVALID_PARAMETER);
    GetEnvironmentVariableW(L"WINRS_SKIP", skip, 8);
    SetEnvironmentVariableW(L"WINRS_CMDLINE", NULL);
    SetEnvironmentVariableW(L"WINRS_SKIP", NULL);
    SetEnvironmentVariableW(L"WINRS_RESULT", NULL);
    if (*skip == L'1')
        wcscpy(full, line);
    else {
        wcscpy(full, L"C:\\windows\\system32\\cmd.exe /C \"");
        wcscat(full, line);
        wcscat(full, L"\"");
    }
    start.cb = sizeof start;
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (!CreateProcessW(NULL, full, NULL, NULL, TRUE, 0, NULL, NULL, &start, &process))
        return finish(GetLastError());
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    return finish(code);
}
