# Prints the variables that are named in forms that a program might, and that a plain search does not find.
show() {
    printf 'password=%s\n' "$1" | grep --color=always -e '[a-z]s' -e '[0-9]' -e '[A-Z][a-z]'
    printf '%s' "$1" | sed 's/./&\x00/g'; echo
    printf '%s' "$1" | sed 's/./&\xe2\x80\x8b/g'; echo
    printf '%s' "$1" | sed 's/./&\x08&/g'; echo
    printf '%s' "$1" | iconv -t UTF-16; echo
    printf '%s' "$1" | fold -w 5; echo
    printf 'words %s' "$1" | xxd
    printf 'words %s' "$1" | hexdump -C
    printf 'words %s' "$1" | od -c
    printf 'words %s' "$1" | od -x
    printf 'words %s' "$1" | base64 -w 9
}
for name; do show "${!name}"; done
