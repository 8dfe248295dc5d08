/**
 * What every container's sshd is started with. Algorithms are taken away from its own list, not named, so that
 * the file is valid for each OpenSSH that an image may bring; what goes are the NIST curves, the small groups, SHA-1
 * and the short or non-encrypt-then-MAC codes that audits complain of. StrictModes is off since the folder belongs to
 * DCM, not to the login; sshd_config(5).
 */
export const sshdConfig = `Port 22
AddressFamily any
HostKey /run/dcm/ssh_host_ed25519_key
PidFile none
LogLevel FATAL

AuthenticationMethods publickey
PubkeyAuthentication yes
AuthorizedKeysFile /run/dcm/authorized_keys
AuthorizedKeysCommand none
TrustedUserCAKeys none
PasswordAuthentication no
KbdInteractiveAuthentication no
HostbasedAuthentication no
PermitEmptyPasswords no
PermitRootLogin prohibit-password
PermitUserEnvironment no
StrictModes no
UsePAM no
UseDNS no
LoginGraceTime 30
MaxAuthTries 10
MaxStartups 20:30:100

AcceptEnv LANG LC_* COLORTERM
X11Forwarding no
PermitTunnel no
PrintMotd no
PrintLastLog no
ClientAliveInterval 60
ClientAliveCountMax 5
Subsystem sftp internal-sftp

KexAlgorithms -ecdh-sha2-*,diffie-hellman-group1-*,diffie-hellman-group14-*,diffie-hellman-group-exchange-*
Ciphers -*-cbc,arcfour*
MACs -hmac-sha1*,hmac-md5*,umac-64*,hmac-sha2-256,hmac-sha2-512,umac-128@openssh.com
`
