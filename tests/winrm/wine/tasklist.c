/* tasklist [/nh] [/fo csv] [/fi "IMAGENAME eq NAME" | /fi "PID eq N"]: the processes, as CSV only. */
#include <windows.h>
#include <tlhelp32.h>
#include <stdio.h>

int main(int count, char **words)
{
    int heading = 1, csv = 0, some = 0;
    char name[MAX_PATH] = "";
    DWORD id = 0;
    for (int i = 1; i < count; i++) {
        if (!_stricmp(words[i], "/nh"))
            heading = 0;
        else if (!_stricmp(words[i], "/fo") && i + 1 < count && !_stricmp(words[i + 1], "csv"))
            csv = 1, i++;
        else if (!_stricmp(words[i], "/fi") && i + 1 < count
                 && (sscanf(words[i + 1], "IMAGENAME eq %259[^\"]", name) == 1
                     || sscanf(words[i + 1], "PID eq %lu", &id) == 1))
            i++;
        else {
            fprintf(stderr, "tasklist: the test bed's does not know %s\n", words[i]);
            return 87;
        }
    }
    if (!csv) {
        fprintf(stderr, "tasklist: the test bed's writes CSV alone (/fo csv)\n");
        return 87;
    }
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32 one = {sizeof one};
    for (BOOL more = Process32First(all, &one); more; more = Process32Next(all, &one)) {
        if ((*name && _stricmp(name, one.szExeFile)) || (id && id != one.th32ProcessID))
            continue;
        if (heading && !some)
            printf("\"Image Name\",\"PID\",\"Session Name\",\"Session#\",\"Mem Usage\"\n");
        some = 1;
        printf("\"%s\",\"%lu\",\"Services\",\"0\",\"1,024 K\"\n", one.szExeFile, (unsigned long)one.th32ProcessID);
    }
    if (!some)
        printf("INFO: No tasks are running which match the specified criteria.\n");
    return 0;
}
