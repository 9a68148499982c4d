kernel= "/boot/vmlinuz-2.6.18.8-xen"
memory = 164
name = "domain3"
vif = ['']
dhcp = "dhcp"
disk = ['file:/home/xen/domain3/fedora.fc5.img,sda1,w', \
        'file:/home/xen/domain3/fedora.fc5.swap,sda2,w']
root = "/dev/sda1 ro xencons=tty"
