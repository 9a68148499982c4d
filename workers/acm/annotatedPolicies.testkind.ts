/**
 * Binary policies as a person works them out from the format's description (acm.h, the worked example): words in
 * hexadecimal, `#` begins a remark. The fingerprints were computed with Python's minidom and hashlib.
 */
export const annotated: Readonly<Record<string, string>> = {
  DEFAULT: `
0001debc 00000004 0000008c    # magic, format, length 140
0000003c 00000001 0000004c    # name at 60; CHWALL at 60 + 16 = 76
00000002 00000074             # STE at 76 + 40 = 116
00000001 00000000             # version 1.0
fbc1d206 8e319004 afb8d8e0 6810351a 6eb7f3b4
00000008 44454641554c54 00    # "DEFAULT"
00000000                      # 12 bytes, padded to 16
00000001 00000001             # CHWALL, its version 1
00000001 00000002 00000000    # 1 type, 2 rows, no sets
00000024 00000028             # rows at 36, sets at 36 + 2·1·2 = 40
00000000 00000000             # counts: in the hypervisor only
0000                          # 0 __UNLABELED__: not in this policy
0001                          # 1 SystemManagement
00000001 00000002             # STE, its version 1
00000001 00000002 00000014    # 1 type, 2 rows at 20
0000
0001`,

  orchard: `
0001debc 00000004 0000011c 0000003c 00000001 0000004c 00000002 000000ac 00000001 00000000
e1456480 1f0e1543 d46e9123 0152a973 4f674017
00000008 6f726368617264 00 00000000
00000001 00000001 00000005 00000005 00000001 00000024 00000056 00000000 00000000
0000 0001 0000 0000 0000      # 0 __UNLABELED__
0001 0000 0000 0000 0000      # 1 SystemManagement
0000 0000 0001 0000 0000      # 2 apple
0000 0000 0001 0001 0000      # 3 apple.press
0000 0000 0000 0000 0001      # 4 pear
0000 0000 0001 0000 0001      # set fruit
00000001 00000002 00000005 00000009 00000014
0000 0001 0000 0000 0000
0001 0001 0001 0001 0001
0000 0000 0001 0000 0000
0000 0000 0000 0001 0000
0000 0000 0000 0000 0001
0001 0000 0000 0000 0000      # 5 resource SystemManagement
0000 0000 0001 0000 0000      # 6 apple
0000 0000 0000 0001 0000      # 7 apple.press
0000 0000 0000 0000 0001      # 8 pear
0000                          # 110 bytes, padded to 112`,

  // Types in both parts: CocaCola, PepsiCo, SystemManagement, VIO.
  'example.test': `
0001debc 00000004 0000010c    # length 268
0000003c 00000001 00000054    # CHWALL at 60 + 24 = 84
00000002 000000ac             # STE at 84 + 88 = 172
00000001 00000000
7b615dab 8d74209c 187b6f12 13b81c5c b63c3d30
0000000d 6578616d706c652e 74657374 00  # "example.test"
00000000000000                # 17 bytes, padded to 24
00000001 00000001 00000004 00000005 00000001
00000024 0000004c             # sets at 36 + 2·4·5 = 76
00000000 00000000
0000 0000 0000 0000           # 0 __UNLABELED__: not in this policy
0000 0000 0001 0000           # 1 SystemManagement, the bootstrap label
0001 0000 0000 0000           # 2 CocaCola
0000 0001 0000 0000           # 3 PepsiCo
0000 0000 0000 0001           # 4 VIO
0001 0001 0000 0000           # RER1
00000000                      # 84 bytes, padded to 88
00000001 00000002 00000004 00000009 00000014
0000 0000 0000 0000
0001 0001 0001 0001           # 1 SystemManagement has every type
0001 0000 0000 0000
0000 0001 0000 0000
0001 0001 0000 0001           # 4 VIO serves both companies
0001 0000 0000 0000           # 5 resource CocaCola
0000 0001 0000 0000           # 6 PepsiCo
0000 0000 0001 0000           # 7 SystemManagement
0000 0000 0000 0001           # 8 VIO
00000000                      # 92 bytes, padded to 96`,

  // Types: A-Bank, A-Bank.MarketAnalysis, A-Bank.SecurityUnderwriting, AutoCorp, B-Bank, SystemManagement, __UNLABELED__.
  mytest: `
0001debc 00000004 000001c4    # length 452
0000003c 00000001 0000004c
00000002 000000f4             # STE at 76 + 168 = 244
00000001 00000000
cd222bd6 998a0893 cb9c682a bfe6bacd c5cf57ce
00000007 6d7974657374 00      # "mytest"
0000000000                    # 11 bytes, padded to 16
00000001 00000001 00000007 00000007 00000002
00000024 00000086             # sets at 36 + 2·7·7 = 134
00000000 00000000
0000 0000 0000 0000 0000 0000 0001  # 0 __UNLABELED__
0000 0000 0000 0000 0000 0001 0000  # 1 SystemManagement
0001 0000 0000 0000 0000 0000 0000  # 2 A-Bank
0001 0001 0000 0000 0000 0000 0000  # 3 A-Bank.MarketAnalysis: and its organisation
0001 0000 0001 0000 0000 0000 0000  # 4 A-Bank.SecurityUnderwriting
0000 0000 0000 0001 0000 0000 0000  # 5 AutoCorp
0000 0000 0000 0000 0001 0000 0000  # 6 B-Bank
0001 0000 0000 0000 0001 0000 0001  # RER: A-Bank, B-Bank, __UNLABELED__
0000 0001 0001 0000 0000 0000 0001  # RER2: both departments, __UNLABELED__
000000000000                  # 162 bytes, padded to 168
00000001 00000002 00000007 0000000d 00000014
0000 0000 0000 0000 0000 0000 0001
0001 0001 0001 0001 0001 0001 0001
0001 0000 0000 0000 0000 0000 0000
0000 0001 0000 0000 0000 0000 0000
0000 0000 0001 0000 0000 0000 0000
0000 0000 0000 0001 0000 0000 0000
0000 0000 0000 0000 0001 0000 0000
0001 0000 0000 0000 0000 0000 0000  # 7 resource A-Bank
0000 0001 0000 0000 0000 0000 0000  # 8 A-Bank.MarketAnalysis
0000 0000 0001 0000 0000 0000 0000  # 9 A-Bank.SecurityUnderwriting
0000 0000 0000 0001 0000 0000 0000  # 10 AutoCorp
0000 0000 0000 0000 0001 0000 0000  # 11 B-Bank
0000 0000 0000 0000 0000 0001 0000  # 12 SystemManagement; the resource __UNLABELED__ is row 0
000000000000                  # 202 bytes, padded to 208`,

  // Types: A-Bank, A-Bank.MA, A-Bank.SU, AutoCorp, B-Bank, SystemManagement.
  mytest_update: `
0001debc 00000004 000001ac    # length 428
0000003c 00000001 0000004c
00000002 000000ec             # STE at 76 + 160 = 236
00000001 00000001             # version 1.1
12c91539 df65c650 a17599f3 97e123f6 86c2f10a
00000007 6d7974657374 00 0000000000
00000001 00000001 00000006 00000008 00000002
00000024 00000084             # sets at 36 + 2·6·8 = 132
00000000 00000000
0000 0000 0000 0000 0000 0000 # 0 __UNLABELED__ is gone
0000 0000 0000 0000 0000 0001 # 1 SystemManagement
0001 0000 0000 0000 0000 0000 # 2 A-Bank
0000 0000 0000 0000 0000 0001 # 3 A-Bank-WL: a label for Domain-0
0001 0001 0000 0000 0000 0000 # 4 A-Bank.MA
0001 0000 0001 0000 0000 0000 # 5 A-Bank.SU
0000 0000 0000 0001 0000 0000 # 6 AutoCorp
0000 0000 0000 0000 0001 0000 # 7 B-Bank
0001 0000 0000 0000 0001 0000 # RER
0000 0001 0001 0000 0000 0000 # RER2
00000000                      # 156 bytes, padded to 160
00000001 00000002 00000006 0000000e 00000014
0000 0000 0000 0000 0000 0000
0001 0001 0001 0001 0001 0001
0001 0000 0000 0000 0000 0000
0001 0001 0001 0000 0000 0000 # 3 A-Bank-WL: everything of A-Bank
0000 0001 0000 0000 0000 0000
0000 0000 0001 0000 0000 0000
0000 0000 0000 0001 0000 0000
0000 0000 0000 0000 0001 0000
0001 0000 0000 0000 0000 0000 # 8 resource A-Bank
0000 0001 0000 0000 0000 0000 # 9 A-Bank.MA
0000 0000 0001 0000 0000 0000 # 10 A-Bank.SU
0000 0000 0000 0001 0000 0000 # 11 AutoCorp
0000 0000 0000 0000 0001 0000 # 12 B-Bank
0000 0000 0000 0000 0000 0001 # 13 SystemManagement
00000000                      # 188 bytes, padded to 192`,
};

/** The map of example.test, written from the format's description. */
export const exampleTestMap = `POLICYREFERENCENAME    example.test
MAGIC                  0001debc
POLICFILE              /p/example/test-security_policy.xml
BINARYFILE             /p/example//test.bin
MAX-CHWALL-TYPES       00000004
MAX-CHWALL-SSIDS       00000005
MAX-CHWALL-LABELS      00000005
MAX-STE-TYPES          00000004
MAX-STE-SSIDS          00000009
MAX-STE-LABELS         00000009

PRIMARY                CHWALL
SECONDARY              STE

LABEL->SSID ANY CHWALL __NULL_LABEL__       0
LABEL->SSID VM  CHWALL SystemManagement     1
LABEL->SSID VM  CHWALL CocaCola             2
LABEL->SSID VM  CHWALL PepsiCo              3
LABEL->SSID VM  CHWALL VIO                  4

LABEL->SSID ANY STE    __NULL_LABEL__       00000000
LABEL->SSID VM  STE    SystemManagement     1
LABEL->SSID VM  STE    CocaCola             2
LABEL->SSID VM  STE    PepsiCo              3
LABEL->SSID VM  STE    VIO                  4
LABEL->SSID RES STE    CocaCola             5
LABEL->SSID RES STE    PepsiCo              6
LABEL->SSID RES STE    SystemManagement     7
LABEL->SSID RES STE    VIO                  8

SSID->TYPE CHWALL      00000000
SSID->TYPE CHWALL      00000001 SystemManagement
SSID->TYPE CHWALL      00000002 CocaCola
SSID->TYPE CHWALL      00000003 PepsiCo
SSID->TYPE CHWALL      00000004 VIO

SSID->TYPE STE         00000000
SSID->TYPE STE         00000001 SystemManagement PepsiCo CocaCola VIO
SSID->TYPE STE         00000002 CocaCola
SSID->TYPE STE         00000003 PepsiCo
SSID->TYPE STE         00000004 VIO PepsiCo CocaCola
SSID->TYPE STE         00000005 CocaCola
SSID->TYPE STE         00000006 PepsiCo
SSID->TYPE STE         00000007 SystemManagement
SSID->TYPE STE         00000008 VIO

TYPE CHWALL            CocaCola             0
TYPE CHWALL            PepsiCo              1
TYPE CHWALL            SystemManagement     2
TYPE CHWALL            VIO                  3

TYPE STE               CocaCola             0
TYPE STE               PepsiCo              1
TYPE STE               SystemManagement     2
TYPE STE               VIO                  3


`;
