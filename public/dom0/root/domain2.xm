kernel= "/boot/vmlinuz-2.6.18.8-xen"
memory = 164
name = "domain2"
vif = ['']
dhcp = "dhcp"
disk = ['file:/home/xen/domain2/fedora.fc5.img,sda1,w', \
        'file:/home/xen/domain2/fedora.fc5.swap,sda2,w']
root = "/dev/sda1 ro xencons=tty"
