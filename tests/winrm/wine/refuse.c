/* In the place of a program that Wine only pretends to have: its own ends with 0 and has done nothing, so that a
   test which trusts it proves nothing. */
#include <stdio.h>

int main(int count, char **words)
{
    (void)count;
    fprintf(stderr, "%s: the test bed has no such program; Wine's own does nothing\n", words[0]);
    return 87;
}
