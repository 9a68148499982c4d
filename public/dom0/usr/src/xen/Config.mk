# Build options of Xen. Change them here, then: make world, make install, reboot.

# Symbols for the debugger, and assertions.
debug ?= n

# The framework for security modules.
XSM_ENABLE ?= n

# The modules: one of them at most, and only with XSM_ENABLE.
FLASK_ENABLE ?= n
ACM_SECURITY ?= n

# The architecture that the hypervisor is built for.
XEN_TARGET_ARCH ?= x86_32
pae ?= y

KERNELS ?= linux-2.6-xen0 linux-2.6-xenU
