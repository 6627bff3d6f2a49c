/* The contract of the store, on PostgreSQL. */
#include "contract.h"

int main(int argc, char **argv)
{
    return contract_run(argc, argv);
}
