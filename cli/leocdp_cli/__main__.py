from leocdp_cli.app import main

main()
