/* where [/q] NAME...: looks for programs in the current folder and in PATH. */
#include <windows.h>
#include <stdio.h>
#include <string.h>

static int quiet;

static int try(const char *folder, const char *name, const char *ending)
{
    char path[MAX_PATH * 2];
    snprintf(path, sizeof path, "%s\\%s%s", folder, name, ending);
    DWORD kind = GetFileAttributesA(path);
    if (kind == INVALID_FILE_ATTRIBUTES || (kind & FILE_ATTRIBUTE_DIRECTORY))
        return 0;
    if (!quiet)
        printf("%s\n", path);
    return 1;
}

static int in_folder(const char *folder, const char *name, const char *endings)
{
    char copy[1024], *ending;
    int found = try(folder, name, "");
    snprintf(copy, sizeof copy, "%s", endings);
    for (ending = strtok(copy, ";"); ending; ending = strtok(NULL, ";"))
        found += try(folder, name, ending);
    return found;
}

int main(int count, char **words)
{
    static char path[32767], endings[1024], here[MAX_PATH];
    int status = 0;
    GetEnvironmentVariableA("PATH", path, sizeof path);
    if (!GetEnvironmentVariableA("PATHEXT", endings, sizeof endings))
        strcpy(endings, ".COM;.EXE;.BAT;.CMD");
    GetCurrentDirectoryA(sizeof here, here);
    for (int i = 1; i < count; i++) {
        if (!_stricmp(words[i], "/q")) {
            quiet = 1;
            continue;
        }
        if (strpbrk(words[i], "/*?:$\\")) {
            fprintf(stderr, "where: the test bed's does not know %s\n", words[i]);
            return 87;
        }
        int found = in_folder(here, words[i], endings);
        for (char *from = path; *from;) {
            char *end = strchr(from, ';');
            if (end)
                *end = 0;
            if (*from)
                found += in_folder(from, words[i], endings);
            if (!end)
                break;
            *end = ';';
            from = end + 1;
        }
        if (!found) {
            if (!quiet)
                fprintf(stderr, "INFO: Could not find files for the given pattern(s).\n");
            status = 1;
        }
    }
    return status;
}
