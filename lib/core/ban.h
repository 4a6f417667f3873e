/* Functions this project never calls; included in every file by the build. */
#ifndef CORE_BAN_H
#define CORE_BAN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atoll
#pragma GCC poison localtime gmtime ctime asctime strncpy strncat

#endif
