/* chcp: says the OEM code page, which Wine's own gives as 0 without a console. Sets none: Wine can't. */
#include <windows.h>
#include <stdio.h>

int main(int count, char **words)
{
    (void)words;
    if (count > 1) {
        fprintf(stderr, "chcp: the test bed can't change the code page\n");
        return 87;
    }
    /* "Active code page", in Chinese where Windows says it so, in GBK. */
    printf("%s: %u\n", GetOEMCP() == 936 ? "\xbb\xee\xb6\xaf\xb4\xfa\xc2\xeb\xd2\xb3" : "Active code page", GetOEMCP());
    return 0;
}
